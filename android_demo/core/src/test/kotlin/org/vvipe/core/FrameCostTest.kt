package org.vvipe.core

import com.sun.management.ThreadMXBean
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File
import java.lang.management.ManagementFactory

/** What a frame costs in memory, which is asserted, and in time, which is printed. */
class FrameCostTest {
    private val threads = ManagementFactory.getThreadMXBean() as ThreadMXBean
    private val manifest = Fixtures.manifest
    private val list = DisplayList()
    private val camera = OrbitCamera()
    private val fit = PictureFit().also { it.set(640, 480, 1080f, 810f, true) }
    private val meter = FrameMeter()
    private val poseView = PoseView(manifest)
    private val keypointView = KeypointView(manifest)
    private val latest = LatestResult(manifest, 3)
    private val drawn = FrameResult(manifest, 3)
    private val painter = object : Painter {
        var count = 0

        override fun line(x0: Float, y0: Float, x1: Float, y1: Float, width: Float, colour: Int) {
            count++
        }

        override fun disc(x: Float, y: Float, radius: Float, colour: Int) {
            count++
        }
    }

    /** All that the app does for a frame, but for the camera, the detector and the screen. */
    private fun frameOf(pipeline: FramePipeline, frame: Frame) {
        val result = pipeline.process(frame)
        latest.publish(result)
        latest.read(drawn)
        meter.add(System.nanoTime(), drawn.totalNanos)
        meter.framesPerSecond()
        meter.medianMillis()
        camera.drag(0.001f, 0f)
        poseView.draw(drawn.pose, drawn.seen, camera, 0f, 0f, 540f, 540f, list)
        list.paint(painter)
        keypointView.draw(drawn, fit, 8f, list)
        list.paint(painter)
        PoseSimilarity.measure(drawn.pose, drawn.seen, result.pose, result.seen)
    }

    private fun withPipeline(model: File, use: (FramePipeline) -> Unit) {
        val text = model.resolveSibling(Gallery.FILE).readText()
        val gallery = Gallery.parse(text, manifest, manifest.hashOf(model.name))
        val detector = ScriptedDetector(640, 480).also { it.keypoints = TestPeople.standing(300f, 220f) }
        LiteRtLifter(model).use { use(FramePipeline(detector, it, gallery)) }
    }

    @Test
    fun `ten thousand frames allocate nothing and the process does not grow`() = withPipeline(Fixtures.dynamicRange) { pipeline ->
        val frame = yuvFrame(TestPeople.greyFrame())
        repeat(1_000) { frameOf(pipeline, frame) }
        System.gc()
        val residentBefore = residentKilobytes()
        val thread = Thread.currentThread().id
        val before = threads.getThreadAllocatedBytes(thread)
        repeat(FRAMES) { frameOf(pipeline, frame) }
        val allocated = threads.getThreadAllocatedBytes(thread) - before
        System.gc()
        val grown = residentKilobytes() - residentBefore
        println("$FRAMES frames: $allocated bytes allocated, resident memory grew by $grown KB")
        // A single allocated object a frame would be 16 bytes each; the compiler's own doings stay below that.
        assertTrue(allocated < 4L * FRAMES) { "$allocated bytes" }
        assertTrue(grown < 16_384) { "$grown KB" }
    }

    @Test
    fun `the time of a frame is measured`() {
        val frame = yuvFrame(TestPeople.greyFrame())
        val sampler = CropSampler(192, PixelType.UINT8)
        val region = CropRegion().also { it.set(108f, 28f, 384f) }
        for (model in listOf(Fixtures.dynamicRange, Fixtures.float16)) {
            withPipeline(model) { measure("${model.name}, frame without the detector", { frameOf(it, frame) }) }
            LiteRtLifter(model).use { lifter ->
                val lifted = LiftedPose(manifest)
                val person = TestPeople.standing(300f, 220f)
                measure("of it, the lifter", { lifter.lift(person, lifted) })
            }
        }
        measure("of it, cropping 640 x 480 YUV to 192 x 192", { sampler.sample(frame, region) })
        assertTrue(painter.count > 0)
    }

    /** Prints the median time on the clock, and the processor's share of it, which other programs do not lengthen. */
    private fun measure(name: String, work: () -> Unit) {
        repeat(500) { work() }
        val clock = LongArray(RUNS)
        val processor = LongArray(RUNS)
        for (run in 0 until RUNS) {
            val start = System.nanoTime()
            val begun = threads.currentThreadCpuTime
            work()
            processor[run] = threads.currentThreadCpuTime - begun
            clock[run] = System.nanoTime() - start
        }
        val (onClock, onProcessor) = listOf(clock, processor).map { it.sorted()[RUNS / 2] / 1_000 }
        println("$name: median $onClock us on the clock, $onProcessor us of the processor")
    }

    private fun residentKilobytes(): Long = File("/proc/self/status").readLines()
        .first { it.startsWith("VmRSS") }.filter(Char::isDigit).toLong()

    private companion object {
        const val FRAMES = 10_000
        const val RUNS = 1_001
    }
}

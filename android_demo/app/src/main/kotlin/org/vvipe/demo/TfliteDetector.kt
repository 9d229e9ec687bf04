package org.vvipe.demo

import android.util.Log
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.gpu.CompatibilityList
import org.tensorflow.lite.gpu.GpuDelegate
import org.vvipe.core.DetectorManifest
import org.vvipe.core.PoseDetector

/** A detector in TensorFlow Lite, on the GPU where that works. Opened, used and closed on one thread. */
class TfliteDetector private constructor(
    override val manifest: DetectorManifest,
    private val model: ByteBuffer,
    private var interpreter: Interpreter,
    @Volatile private var delegate: GpuDelegate?,
) : PoseDetector {
    private val output: FloatBuffer = directFloats(manifest.joints.size * 3)
    private val inputs = arrayOfNulls<Any>(1)
    private val outputs = mapOf<Int, Any>(0 to output)

    /** Whether it runs on the GPU. */
    val isOnGpu get() = delegate != null

    override fun detect(picture: ByteBuffer, keypoints: FloatArray) {
        try {
            run(picture)
        } catch (error: IllegalStateException) {
            if (delegate == null) throw error
            Log.w(TAG, "The GPU has failed; the detector goes on on the CPU", error)
            close()
            delegate = null
            interpreter = onCpu(model)
            run(picture)
        }
        output.rewind()
        output.get(keypoints, 0, manifest.joints.size * 3)
    }

    private fun run(picture: ByteBuffer) {
        picture.rewind()
        output.rewind()
        inputs[0] = picture
        interpreter.runForMultipleInputsOutputs(inputs, outputs)
    }

    override fun close() {
        interpreter.close()
        delegate?.close()
    }

    companion object {
        private const val TAG = "TfliteDetector"
        private const val CPU_THREADS = 2

        /** Opens [model] on the GPU, or on the CPU if the GPU refuses it or cannot run it. */
        fun open(manifest: DetectorManifest, model: ByteBuffer): TfliteDetector =
            openOnGpu(manifest, model) ?: TfliteDetector(manifest, model, onCpu(model), null)

        private fun onCpu(model: ByteBuffer) = Interpreter(model, Interpreter.Options().setNumThreads(CPU_THREADS))

        private fun openOnGpu(manifest: DetectorManifest, model: ByteBuffer): TfliteDetector? {
            var delegate: GpuDelegate? = null
            var interpreter: Interpreter? = null
            try {
                val options = CompatibilityList().use {
                    if (!it.isDelegateSupportedOnThisDevice) return null
                    it.bestOptionsForThisDevice
                }
                delegate = GpuDelegate(options)
                interpreter = Interpreter(model, Interpreter.Options().addDelegate(delegate))
                val detector = TfliteDetector(manifest, model, interpreter, delegate)
                // Some drivers accept a model and fail when it first runs.
                val black = ByteBuffer.allocateDirect(manifest.inputBytes).order(ByteOrder.nativeOrder())
                val keypoints = FloatArray(manifest.joints.size * 3)
                detector.detect(black, keypoints)
                if (!detector.isOnGpu) return detector
                if (keypoints.all { it.isFinite() }) return detector
                Log.w(TAG, "The GPU gives no numbers; the detector runs on the CPU")
            } catch (error: RuntimeException) {
                Log.w(TAG, "The GPU refuses the detector; it runs on the CPU", error)
            } catch (error: LinkageError) {
                Log.w(TAG, "The GPU library cannot be loaded; the detector runs on the CPU", error)
            }
            interpreter?.close()
            delegate?.close()
            return null
        }
    }
}

/** Room for [size] numbers that the interpreter reads and writes without arrays of its own. */
internal fun directFloats(size: Int): FloatBuffer =
    ByteBuffer.allocateDirect(size * Float.SIZE_BYTES).order(ByteOrder.nativeOrder()).asFloatBuffer()

package org.vvipe.core

import org.junit.jupiter.api.Assumptions.assumeTrue
import java.io.File
import javax.imageio.ImageIO

/** What `android_demo/test/make_fixtures.py` prepared. */
internal object Fixtures {
    private val folder = File(property("vvipe.fixtures"))

    /** What the app takes along. */
    val dynamicRange get() = file("dynamic_range/vvipe_dynamic_range.tflite")
    val float16 get() = file("float16/vvipe_float16.tflite")
    val float32 get() = file("float32/small_float32.tflite")
    val manifestText get() = file("dynamic_range/model.json").readText()
    val manifest get() = LiteManifest.parse(manifestText)

    fun property(name: String): String =
        checkNotNull(System.getProperty(name)) { "Expected -D$name. Received: none; use android_demo/test/run" }

    /** A prepared file that every machine has. */
    fun file(name: String) = folder.resolve(name).also { check(it.exists()) { "Expected $it. Received: none" } }

    /** A prepared file that had to be downloaded; without it the test is skipped with the reason. */
    fun downloaded(name: String): File {
        val reason = folder.resolve("skipped.txt").takeIf(File::exists)?.readText().orEmpty().trim()
        assumeTrue(folder.resolve(name).exists()) { "$name is missing: $reason" }
        return folder.resolve(name)
    }

    /** A prepared picture as a frame. */
    fun photo(name: String): RgbFrame {
        val image = ImageIO.read(downloaded(name))
        val pixels = image.getRGB(0, 0, image.width, image.height, null, 0, image.width)
        return RgbFrame().also { it.set(pixels, image.width, image.height, 0, 1) }
    }

    /** What Python computed, by path. */
    fun fromPython(vararg path: String) =
        numbers(path.fold(python) { inside, key -> (inside as Map<*, *>)[key] })

    fun numbers(nested: Any?): FloatArray = when (nested) {
        is Double -> floatArrayOf(nested.toFloat())
        is List<*> -> nested.flatMap { numbers(it).asList() }.toFloatArray()
        else -> error("Expected numbers. Received: $nested")
    }

    private val python by lazy { parseJson(file("python.json").readText()) }
}

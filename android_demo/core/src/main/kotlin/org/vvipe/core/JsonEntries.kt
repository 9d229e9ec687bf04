package org.vvipe.core

/**
 * Reads typed entries of a JSON object by their path, and says which entry is missing or of another type.
 *
 * @param format what the entry `format` must say.
 * @param version what the entry `version` must be.
 * @throws IllegalArgumentException if [text] is no such document.
 */
internal class JsonEntries(text: String, format: String, version: Int) {
    private val content = parseJson(text) as? Map<*, *> ?: emptyMap<String, Any?>()

    init {
        require(content["format"] == format && content["version"] == version.toDouble()) {
            "Expected a $format document, version $version. Received: ${content["format"]}, ${content["version"]}"
        }
    }

    /** The entry at [path], whose type must be [T]. */
    inline fun <reified T> entry(vararg path: String): T {
        val found = path.fold(content as Any?) { inside, key -> (inside as? Map<*, *>)?.get(key) }
        require(found is T) {
            "Expected ${path.joinToString(".")} of type ${T::class.simpleName}. Received: ${brief(found)}"
        }
        return found
    }

    fun wholeNumber(vararg path: String): Int {
        val number = entry<Double>(*path)
        require(number == number.toInt().toDouble()) { "Expected ${path.last()} as a whole number. Received: $number" }
        return number.toInt()
    }

    /** Different names at [path], at least one. */
    fun names(vararg path: String): List<String> {
        val names = entry<List<*>>(*path).filterIsInstance<String>()
        require(names.isNotEmpty() && names.size == entry<List<*>>(*path).size && names.toSet().size == names.size) {
            "Expected different names in ${path.joinToString(".")}. Received: ${brief(names)}"
        }
        return names
    }

    /** Finite numbers at [path], however nested, exactly [count] of them. */
    fun numbers(count: Int, vararg path: String): FloatArray = numbersOf(entry<List<*>>(*path), count, path.last())

    fun sha256(vararg path: String): String {
        val digest = entry<String>(*path)
        require(SHA256.matches(digest)) { "Expected ${path.last()} as a SHA-256. Received: ${brief(digest)}" }
        return digest
    }

    @PublishedApi
    internal fun brief(value: Any?) = value.toString().take(60)

    companion object {
        val SHA256 = Regex("[0-9a-f]{64}")

        fun numbersOf(nested: List<*>, count: Int, name: String): FloatArray {
            val numbers = ArrayList<Float>(count)
            fun collect(value: Any?) {
                when (value) {
                    is Double -> numbers += value.toFloat()
                    is List<*> -> value.forEach(::collect)
                    else -> throw IllegalArgumentException("Expected numbers in $name. Received: $value")
                }
            }
            collect(nested)
            require(numbers.size == count && numbers.all { it.isFinite() }) {
                "Expected $count finite numbers in $name. Received: ${numbers.size}"
            }
            return numbers.toFloatArray()
        }
    }
}

/** Runs [read]; what it refuses is refused as metadata of a model. */
internal inline fun <T> readMetadata(name: String, read: () -> T): T = try {
    read()
} catch (error: IllegalArgumentException) {
    throw ModelRefusedException(ModelRefusal.METADATA_DIFFERS, "$name: ${error.message}", error)
}

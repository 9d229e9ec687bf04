package org.vvipe.core

/**
 * Reads JSON (RFC 8259) without a library, so that `core` needs none.
 *
 * Objects become `Map<String, Any?>`, arrays `List<Any?>`, numbers `Double`, the rest `String`, `Boolean` and null.
 *
 * @throws IllegalArgumentException if [text] is no JSON document, or nested deeper than any of ours.
 */
internal fun parseJson(text: String): Any? = JsonReader(text).document()

/** [value] (of the types that [parseJson] gives, or any number) as JSON. */
internal fun writeJson(value: Any?): String = buildString { appendJson(value) }

private const val MAX_DEPTH = 64

private class JsonReader(private val text: String) {
    private var at = 0

    fun document(): Any? {
        val value = value(0)
        skipSpace()
        if (at != text.length) fail("the end")
        return value
    }

    private fun value(depth: Int): Any? {
        if (depth > MAX_DEPTH) fail("less nesting")
        skipSpace()
        return when (peek()) {
            '{' -> members(depth)
            '[' -> elements(depth)
            '"' -> string()
            't' -> word("true", true)
            'f' -> word("false", false)
            'n' -> word("null", null)
            else -> number()
        }
    }

    private fun members(depth: Int): Map<String, Any?> {
        val members = LinkedHashMap<String, Any?>()
        list('}') {
            skipSpace()
            val name = string()
            skipSpace()
            take(':')
            members[name] = value(depth + 1)
        }
        return members
    }

    private fun elements(depth: Int): List<Any?> {
        val elements = ArrayList<Any?>()
        list(']') { elements += value(depth + 1) }
        return elements
    }

    private inline fun list(end: Char, element: () -> Unit) {
        at++
        skipSpace()
        if (peek() == end) {
            at++
            return
        }
        while (true) {
            element()
            skipSpace()
            if (peek() == end) break
            take(',')
        }
        at++
    }

    private fun string(): String {
        take('"')
        val content = StringBuilder()
        while (true) {
            val char = peek() ?: fail("the end of a string")
            at++
            when {
                char == '"' -> return content.toString()
                char == '\\' -> content.append(escaped())
                char < ' ' -> fail("no control character")
                else -> content.append(char)
            }
        }
    }

    private fun escaped(): Char {
        val char = peek() ?: fail("an escape")
        at++
        return when (char) {
            '"', '\\', '/' -> char
            'b' -> '\b'
            'f' -> '\u000C'
            'n' -> '\n'
            'r' -> '\r'
            't' -> '\t'
            'u' -> {
                val digits = text.substring(at, minOf(at + 4, text.length))
                if (digits.length < 4 || !digits.all { it in HEX_DIGITS }) fail("four hexadecimal digits")
                at += 4
                digits.toInt(16).toChar()
            }
            else -> fail("an escape")
        }
    }

    private fun number(): Double {
        val match = NUMBER.find(text, at)
        if (match == null || match.range.first != at) fail("a value")
        at = match.range.last + 1
        return match.value.toDouble()
    }

    private fun <T> word(word: String, value: T): T {
        if (!text.startsWith(word, at)) fail("a value")
        at += word.length
        return value
    }

    private fun take(char: Char) {
        if (peek() != char) fail("'$char'")
        at++
    }

    private fun peek(): Char? = text.getOrNull(at)

    private fun skipSpace() {
        while (at < text.length && text[at] in " \t\r\n") at++
    }

    private fun fail(expected: String): Nothing =
        throw IllegalArgumentException("Expected $expected at character $at of a JSON document. Received: another")
}

private const val HEX_DIGITS = "0123456789abcdefABCDEF"
private val NUMBER = Regex("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?")

private fun StringBuilder.appendJson(value: Any?) {
    when (value) {
        null, is Boolean -> append(value)
        is Number -> {
            require(value.toDouble().isFinite()) { "Expected a finite number. Received: $value" }
            append(value)
        }
        is String -> appendQuoted(value)
        is Map<*, *> -> appendAll('{', '}', value.entries) { (name, member) ->
            appendQuoted(name as String)
            append(": ")
            appendJson(member)
        }
        is List<*> -> appendAll('[', ']', value) { appendJson(it) }
        else -> throw IllegalArgumentException("Expected a JSON value. Received: ${value::class.simpleName}")
    }
}

private fun <T> StringBuilder.appendAll(start: Char, end: Char, items: Collection<T>, one: (T) -> Unit) {
    append(start)
    items.forEachIndexed { index, item ->
        if (index > 0) append(", ")
        one(item)
    }
    append(end)
}

private fun StringBuilder.appendQuoted(text: String) {
    append('"')
    for (char in text) {
        when {
            char == '"' || char == '\\' -> append('\\').append(char)
            char < ' ' -> append("\\u").append(char.code.toString(16).padStart(4, '0'))
            else -> append(char)
        }
    }
    append('"')
}

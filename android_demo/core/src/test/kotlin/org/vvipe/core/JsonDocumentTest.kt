package org.vvipe.core

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test

/** JSON in and out. */
class JsonDocumentTest {
    @Test
    fun `values of every kind are read`() {
        val text = """ {"a" : [1, -2.5e-3, 0, true, false, null, {}], "b": [],
            "": "\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"} """
        val expected = mapOf(
            "a" to listOf(1.0, -0.0025, 0.0, true, false, null, emptyMap<String, Any?>()),
            "b" to emptyList<Any?>(),
            "" to "\"\\/\b\u000C\n\r\té😀",
        )
        assertEquals(expected, parseJson(text))
        assertEquals(expected, parseJson(writeJson(expected)))
    }

    @Test
    fun `what is no JSON is refused`() {
        val wrong = listOf(
            "", " ", "{", "[1,]", "{\"a\":1,}", "{a:1}", "[1 2]", "01", "+1", "1.", ".5", "nul", "\"", "\"\\x\"",
            "\"\\u12\"", "\"\\u+123\"", "\"\n\"", "1 2", "[", "]", "NaN", "Infinity", "--1", "[".repeat(1000),
        )
        for (text in wrong) assertThrows(IllegalArgumentException::class.java, { parseJson(text) }, text.take(9))
    }

    @Test
    fun `numbers without a place in JSON are not written`() {
        for (value in listOf(Float.NaN, Double.POSITIVE_INFINITY)) {
            assertThrows(IllegalArgumentException::class.java) { writeJson(listOf(value)) }
        }
    }
}

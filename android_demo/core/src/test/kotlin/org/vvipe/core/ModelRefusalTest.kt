package org.vvipe.core

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.io.File

/** Models that must not run. */
class ModelRefusalTest {
    @TempDir
    lateinit var folder: File

    private val shortHash = Fixtures.manifest.hashOf("vvipe_dynamic_range.tflite").take(8)

    private fun refusalOf(action: () -> Unit) = assertThrows(ModelRefusedException::class.java) { action() }

    @Test
    fun `a model with one changed byte is refused before the runtime sees it`() {
        val model = folder.resolve("vvipe_dynamic_range.tflite")
        val bytes = Fixtures.dynamicRange.readBytes().also { it[it.size / 2] = (it[it.size / 2] + 1).toByte() }
        model.writeBytes(bytes)
        folder.resolve("model.json").writeText(Fixtures.manifestText)
        val error = refusalOf { LiteRtLifter(model) }
        assertEquals(ModelRefusal.HASH_DIFFERS, error.refusal)
        assertTrue("Expected a model with the SHA-256 $shortHash" in error.message!!)
    }

    @Test
    fun `a model that its manifest does not name is refused`() {
        val error = refusalOf { Fixtures.manifest.hashOf("other.tflite") }
        assertEquals(ModelRefusal.METADATA_DIFFERS, error.refusal)
    }

    @Test
    fun `a manifest with something missing or different is refused, and says what`() {
        val text = Fixtures.manifestText
        val changes = mapOf(
            "" to "a value",
            text.replace("\"vvipe-lite\"", "\"vvipe\"") to "vvipe-lite document",
            text.replaceFirst("\"version\": 1", "\"version\": 2") to "version 1",
            text.replace("\"dim\": 32", "\"dim\": 3.5") to "dim",
            text.replace("\"dim\": 32", "\"dim\": 0") to "embedding.dim",
            text.replaceFirst("\"left_eye\"", "\"nose\"") to "input.joints",
            text.replace("\"score_threshold\"", "\"threshold\"") to "input.score_threshold",
            text.replaceFirst("\"lift\"", "\"raise\"") to "signature lift",
            text.replace(shortHash, shortHash.dropLast(1)) to "sha256",
            text.replace("vvipe_dynamic_range.tflite", "../vvipe_dynamic_range.tflite") to "file names",
            text.replaceFirst("\"x\",\n      \"y\"", "\"y\",\n      \"x\"") to "input.channels",
        )
        for ((changed, expected) in changes) {
            val error = refusalOf { LiteManifest.parse(changed) }
            assertEquals(ModelRefusal.METADATA_DIFFERS, error.refusal)
            assertTrue(error.message!!.startsWith("model.json: Expected") && expected in error.message!!) {
                "$expected: ${error.message}"
            }
        }
    }

    @Test
    fun `the shipped manifest is read`() {
        val manifest = Fixtures.manifest
        assertEquals(listOf(17, 13, 12, 32), with(manifest) {
            listOf(inputJoints.size, poseJoints.size, bones.size, embeddingDim)
        })
        assertEquals(0.3f, manifest.scoreThreshold)
        assertEquals(518.4f, manifest.mmPerUnit)
        assertEquals(3, manifest.hashes.size)
    }

    @Test
    fun `a detector of another order of channels or without its type is refused`() {
        val text = ScriptedDetector.detectorText(TestPeople.joints)
        assertEquals(PixelType.INT32, DetectorManifest.parse(text).inputType)
        val changes = listOf(
            text.replace("\"y\", \"x\"", "\"x\", \"y\""),
            text.replace("int32", "int64"),
            text.replace("192", "1e9"),
            text.replace("vvipe-detector", "vvipe-lite"),
        )
        for (changed in changes) {
            assertEquals(ModelRefusal.METADATA_DIFFERS, refusalOf { DetectorManifest.parse(changed) }.refusal)
        }
    }

    @Test
    fun `a detector without a joint that the model needs is refused`() {
        LiteRtLifter(Fixtures.dynamicRange).use { lifter ->
            val detector = ScriptedDetector(640, 480, TestPeople.joints - "left_hip")
            val error = refusalOf { FramePipeline(detector, lifter) }
            assertEquals(ModelRefusal.METADATA_DIFFERS, error.refusal)
            assertTrue(error.message!!.startsWith("Expected joints [left_hip]"))
        }
    }
}

package org.vvipe.core

import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.io.File
import java.io.IOException

/** Saved poses. */
class SavedPoseTest {
    @TempDir
    lateinit var folder: File

    private val joints = Fixtures.manifest.poseJoints
    private val pose = FloatArray(joints.size * 3) { 0.37f * it - 3.3333333f }
    private val seen = BooleanArray(joints.size) { it != 4 }

    private fun saved(name: String, millis: Long) = SavedPose(name, millis, "a".repeat(64), joints, pose, seen)

    @Test
    fun `a saved pose comes back to the last bit`() {
        val name = "Krähe \"auf\" einem Bein \\ 鶴\n"
        val file = PoseStore(folder.resolve("new")).save(saved(name, 1_764_000_000_123))
        val (readFile, read) = PoseStore(folder.resolve("new")).load().poses.entries.single()
        assertEquals(file, readFile)
        assertEquals(name, read.name)
        assertEquals(1_764_000_000_123, read.savedAtMillis)
        assertArrayEquals(pose, read.pose)
        assertArrayEquals(seen, read.seen)
    }

    @Test
    fun `poses of the same moment are both kept, the oldest come first, and nothing else is left`() {
        val store = PoseStore(folder)
        for ((name, millis) in listOf("b" to 20L, "c" to 20L, "a" to 3L)) store.save(saved(name, millis))
        assertEquals(listOf("a", "b", "c"), store.load().poses.values.map { it.name }.sorted())
        assertEquals("a", store.load().poses.values.first().name)
        assertEquals(3, folder.list()!!.size)
        store.delete(store.load().poses.keys.first())
        assertEquals(2, store.load().poses.size)
    }

    @Test
    fun `a damaged file is named and hides no other`() {
        val store = PoseStore(folder)
        val whole = store.save(saved("whole", 1))
        for ((number, text) in damages(whole.readText()).withIndex()) {
            folder.resolve("$number.pose.json").writeText(text)
        }
        val content = store.load()
        assertEquals(listOf("whole"), content.poses.values.map { it.name })
        assertEquals(damages(whole.readText()).size, content.damaged.size)
        assertTrue(content.damaged.values.all { it.startsWith("Expected") }) { content.damaged.values.toString() }
    }

    private fun damages(text: String) = listOf(
        "",
        text.dropLast(20),
        text.replace("vvipe-saved-pose", "vvipe-lite"),
        text.replace("left_hip", "left_shoulder"),
        text.replaceFirst("[", "[7, "),
        text.replace("false", "\"no\""),
        text.replace("aaaa", "zzzz"),
        text.replace("-3.3333333", "1e999"),
        "[".repeat(100_000),
    )

    @Test
    fun `what cannot be written leaves nothing behind`() {
        val store = PoseStore(folder)
        pose[7] = Float.NaN
        assertThrows(IllegalArgumentException::class.java) { store.save(saved("broken", 1)) }
        assertEquals(0, folder.list()!!.size)
        val file = folder.resolve("a file").also { it.writeText("") }
        assertThrows(IOException::class.java) { PoseStore(file).save(saved("nowhere", 1)) }
    }
}

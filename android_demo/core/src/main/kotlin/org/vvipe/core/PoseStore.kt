package org.vvipe.core

import java.io.File
import java.io.FileOutputStream
import java.io.IOException

/**
 * The saved poses of a user, a file each.
 *
 * @param folder where they are; made when the first is saved.
 */
class PoseStore(private val folder: File) {
    /**
     * What [load] found.
     *
     * @property poses saved poses with their files, the oldest first.
     * @property damaged files that hold none, with the reason.
     */
    class Content(val poses: Map<File, SavedPose>, val damaged: Map<File, String>)

    /** Reads all poses; a damaged file hides no other. */
    fun load(): Content {
        val poses = LinkedHashMap<File, SavedPose>()
        val damaged = LinkedHashMap<File, String>()
        for (file in folder.listFiles { file -> file.name.endsWith(SUFFIX) }.orEmpty()) {
            try {
                poses[file] = SavedPose.parse(file.readText())
            } catch (error: IllegalArgumentException) {
                damaged[file] = error.message.orEmpty()
            }
        }
        return Content(poses.entries.sortedBy { it.value.savedAtMillis }.associate { it.key to it.value }, damaged)
    }

    /**
     * Saves a pose, whole or not at all, under a name that no other has.
     *
     * @throws IOException if it cannot be written.
     */
    fun save(pose: SavedPose): File {
        if (!folder.isDirectory && !folder.mkdirs()) throw IOException("Expected a folder $folder. Received: none")
        val text = pose.toText()
        val file = generateSequence(0) { it + 1 }
            .map { File(folder, "${pose.savedAtMillis}-$it$SUFFIX") }
            .first { !it.exists() }
        val temporary = File.createTempFile(".saving", ".tmp", folder)
        try {
            FileOutputStream(temporary).use { stream ->
                stream.write(text.toByteArray())
                stream.fd.sync()
            }
            if (!temporary.renameTo(file)) throw IOException("Expected to write $file. Received: a refusal")
        } finally {
            temporary.delete()
        }
        return file
    }

    /**
     * Deletes a saved pose.
     *
     * @throws IOException if it is still there afterwards.
     */
    fun delete(file: File) {
        if (!file.delete() && file.exists()) throw IOException("Expected to delete $file. Received: a refusal")
    }

    private companion object {
        const val SUFFIX = ".pose.json"
    }
}

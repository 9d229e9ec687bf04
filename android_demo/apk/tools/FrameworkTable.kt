package org.vvipe.apk

import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.file.Files
import java.nio.file.Path
import java.util.zip.CRC32
import java.util.zip.ZipEntry
import java.util.zip.ZipFile
import java.util.zip.ZipOutputStream

/**
 * Writes the resource table of a framework jar so that an older aapt2 can link against it.
 *
 * Since Android 14 the table keeps simple entries in 8 bytes (`FLAG_COMPACT`) and offsets in 16 bits (`FLAG_OFFSET16`),
 * which Debian's aapt2 (Android 10) cannot read. Both are written out in full; names, numbers and values stay. The
 * format is that of `ResourceTypes.h`.
 */
object FrameworkTable {
    private const val TABLE = 0x0002
    private const val PACKAGE = 0x0200
    private const val TYPE = 0x0201
    private const val OFFSET16 = 0x02
    private const val COMPACT = 0x0008
    private const val COMPLEX = 0x0001
    private const val NO_ENTRY = -1

    /** Copies the manifest and the rewritten table of the framework [jar] into the zip [target]. */
    fun write(jar: Path, target: Path) {
        ZipFile(jar.toFile()).use { framework ->
            ZipOutputStream(Files.newOutputStream(target)).use { zip ->
                for (name in listOf("AndroidManifest.xml", "resources.arsc")) {
                    val bytes = framework.getInputStream(framework.getEntry(name)).readAllBytes()
                    zip.putStored(name, if (name == "resources.arsc") rewrite(bytes) else bytes)
                }
            }
        }
    }

    private fun rewrite(bytes: ByteArray) = rewriteChunk(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN))

    private fun rewriteChunk(chunk: ByteBuffer): ByteArray = when (chunk.getShort(0).toInt()) {
        TABLE, PACKAGE -> rewriteChildren(chunk)
        TYPE -> if (chunk.get(9).toInt() and OFFSET16 != 0 || hasCompact(chunk)) rewriteType(chunk) else copy(chunk)
        else -> copy(chunk)
    }

    private fun rewriteChildren(chunk: ByteBuffer): ByteArray {
        val headerSize = chunk.getShort(2).toInt()
        val out = ByteArrayOutputStream()
        out.write(slice(chunk, 0, headerSize).let(::copy))
        var at = headerSize
        while (at < chunk.limit()) {
            val size = chunk.getInt(at + 4)
            // Offsets within a package's header point at the string pools, which come first and keep their size.
            out.write(rewriteChunk(slice(chunk, at, size)))
            at += size
        }
        return sized(out.toByteArray())
    }

    private fun offsets(chunk: ByteBuffer): IntArray {
        val flags = chunk.get(9).toInt()
        require(flags and OFFSET16.inv() == 0) { "Expected a dense type chunk. Received: flags $flags" }
        val first = chunk.getShort(2).toInt()
        return IntArray(chunk.getInt(12)) { index ->
            if (flags and OFFSET16 == 0) {
                chunk.getInt(first + index * 4)
            } else {
                val offset = chunk.getShort(first + index * 2).toInt() and 0xFFFF
                if (offset == 0xFFFF) NO_ENTRY else offset * 4
            }
        }
    }

    private fun hasCompact(chunk: ByteBuffer): Boolean {
        // Sparse chunks hold pairs instead of offsets; the framework has none that are compact as well.
        if (chunk.get(9).toInt() != 0) return false
        val start = chunk.getInt(16)
        return offsets(chunk).any { it != NO_ENTRY && chunk.getShort(start + it + 2).toInt() and COMPACT != 0 }
    }

    private fun rewriteType(chunk: ByteBuffer): ByteArray {
        val headerSize = chunk.getShort(2).toInt()
        val start = chunk.getInt(16)
        val offsets = offsets(chunk)
        val entries = ByteArrayOutputStream()
        val places = ByteBuffer.allocate(offsets.size * 4).order(ByteOrder.LITTLE_ENDIAN)
        for (offset in offsets) {
            places.putInt(if (offset == NO_ENTRY) NO_ENTRY else entries.size())
            if (offset != NO_ENTRY) entries.write(rewriteEntry(chunk, start + offset))
        }
        val header = copy(slice(chunk, 0, headerSize))
        ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).put(9, 0).putInt(16, headerSize + places.capacity())
        return sized(header + places.array() + entries.toByteArray())
    }

    private fun rewriteEntry(chunk: ByteBuffer, at: Int): ByteArray {
        val flags = chunk.getShort(at + 2).toInt()
        if (flags and COMPACT != 0) {
            val key = chunk.getShort(at).toInt() and 0xFFFF
            val type = (flags shr 8 and 0xFF).toByte()
            return ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN)
                .putShort(8).putShort((flags and 0xFF and COMPACT.inv()).toShort()).putInt(key)
                .putShort(8).put(0).put(type).putInt(chunk.getInt(at + 4)).array()
        }
        val size = chunk.getShort(at).toInt()
        val values = if (flags and COMPLEX != 0) chunk.getInt(at + 12) * 12 else 8
        return copy(slice(chunk, at, size + values))
    }

    private fun slice(chunk: ByteBuffer, at: Int, size: Int): ByteBuffer =
        chunk.slice(at, size).order(ByteOrder.LITTLE_ENDIAN)

    private fun copy(chunk: ByteBuffer) = ByteArray(chunk.limit()).also { chunk.get(0, it) }

    private fun sized(chunk: ByteArray) =
        chunk.also { ByteBuffer.wrap(it).order(ByteOrder.LITTLE_ENDIAN).putInt(4, it.size) }
}

/** Adds an entry that is not compressed, with a fixed time so that equal content gives equal files. */
fun ZipOutputStream.putStored(name: String, bytes: ByteArray) {
    putNextEntry(ZipEntry(name).apply {
        method = ZipEntry.STORED
        size = bytes.size.toLong()
        crc = CRC32().also { it.update(bytes) }.value
        time = FIXED_TIME
    })
    write(bytes)
    closeEntry()
}

/** 1980-02-01, the earliest that every zip reader agrees on. */
val FIXED_TIME = java.time.LocalDateTime.of(1980, 2, 1, 0, 0).toInstant(java.time.ZoneOffset.UTC).toEpochMilli()

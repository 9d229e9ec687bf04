package org.vvipe.apk

import com.android.apksig.ApkSigner
import com.android.apksig.ApkVerifier
import com.android.apksig.KeyConfig
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.file.Files
import java.nio.file.Path
import java.security.KeyStore
import java.security.MessageDigest
import java.security.PrivateKey
import java.security.cert.X509Certificate
import java.util.zip.ZipEntry
import java.util.zip.ZipFile
import java.util.zip.ZipOutputStream
import kotlin.system.exitProcess

private const val MIN_SDK = 24
private const val PAGE = 16384
private const val PASSWORD = "android"
private val ABIS = listOf("arm64-v8a", "armeabi-v7a", "x86_64")

/**
 * `framework JAR TARGET`, `pack BASE DEX_FOLDER LIBRARY_FOLDER TARGET`, `references JAR DEX_FOLDER`,
 * `sign APK KEYSTORE TARGET` or `verify APK`.
 */
fun main(arguments: Array<String>) {
    val paths = arguments.drop(1).map(Path::of)
    when (arguments.firstOrNull()) {
        "framework" -> FrameworkTable.write(paths[0], paths[1])
        "pack" -> pack(paths[0], paths[1], paths[2], paths[3])
        "sign" -> sign(paths[0], paths[1], paths[2])
        "references" -> if (!checkReferences(paths[0], paths[1])) exitProcess(1)
        "verify" -> if (!verify(paths[0])) exitProcess(1)
        else -> throw IllegalArgumentException(
            "Expected framework, pack, references, sign or verify. Received: ${arguments.asList()}",
        )
    }
}

/** Adds code and native libraries to what aapt2 has linked; libraries are stored, so that they can be mapped. */
private fun pack(base: Path, dexFolder: Path, libraryFolder: Path, target: Path) {
    ZipOutputStream(Files.newOutputStream(target)).use { zip ->
        ZipFile(base.toFile()).use { linked ->
            for (entry in linked.entries()) {
                val bytes = linked.getInputStream(entry).readAllBytes()
                val isStored = entry.method == ZipEntry.STORED
                if (isStored) zip.putStored(entry.name, bytes) else zip.putDeflated(entry.name, bytes)
            }
        }
        for (dex in listed(dexFolder, ".dex")) zip.putDeflated(dex.fileName.toString(), Files.readAllBytes(dex))
        for (abi in ABIS) {
            for (library in listed(libraryFolder.resolve(abi), ".so")) {
                zip.putStored("lib/$abi/${library.fileName}", Files.readAllBytes(library))
            }
        }
    }
}

/** Prints the references of the dex files in a folder that lead nowhere; whether there are none. */
private fun checkReferences(framework: Path, dexFolder: Path): Boolean {
    var count = 0
    val missing = ReferenceCheck(framework).use { it.findMissing(listed(dexFolder, ".dex")) { found -> count = found } }
    missing.forEach { println("missing: $it") }
    println("references: $count methods and fields, ${missing.size} missing")
    return missing.isEmpty()
}

/** Aligns what is stored (libraries to 16 KB, the rest to 4 bytes) and signs with the one key of a store. */
private fun sign(apk: Path, keyStore: Path, target: Path) {
    val store = KeyStore.getInstance(keyStore.toFile(), PASSWORD.toCharArray())
    val alias = store.aliases().nextElement()
    val key = store.getKey(alias, PASSWORD.toCharArray()) as PrivateKey
    val certificates = listOf(store.getCertificate(alias) as X509Certificate)
    val signer = ApkSigner.SignerConfig.Builder(alias, KeyConfig.Jca(key), certificates)
    ApkSigner.Builder(listOf(signer.build()))
        .setInputApk(apk.toFile())
        .setOutputApk(target.toFile())
        .setMinSdkVersion(MIN_SDK)
        .setLibraryPageAlignmentBytes(PAGE)
        .build()
        .sign()
}

/** Prints size, signature and alignment; whether the signature holds and everything stored is aligned. */
private fun verify(apk: Path): Boolean {
    println("size: ${Files.size(apk)} bytes")
    val result = ApkVerifier.Builder(apk.toFile()).setMinCheckedPlatformVersion(MIN_SDK).build().verify()
    result.allErrors.forEach { println("error: $it") }
    println("signature: ${if (result.isVerified) "verified" else "REFUSED"}, v2 ${result.isVerifiedUsingV2Scheme}, " +
        "v3 ${result.isVerifiedUsingV3Scheme}")
    for (certificate in result.signerCertificates) {
        val digest = MessageDigest.getInstance("SHA-256").digest(certificate.encoded)
        println("certificate: ${certificate.subjectX500Principal.name}, SHA-256 ${digest.toHex()}")
    }
    val offsets = dataOffsets(ByteBuffer.wrap(Files.readAllBytes(apk)).order(ByteOrder.LITTLE_ENDIAN))
    var isAligned = true
    ZipFile(apk.toFile()).use { zip ->
        for (entry in zip.entries()) {
            val isLibrary = entry.name.endsWith(".so")
            if (entry.method != ZipEntry.STORED) {
                isAligned = isAligned && !isLibrary && !entry.name.endsWith(".tflite")
                continue
            }
            val alignment = if (isLibrary) PAGE else 4
            val fits = offsets.getValue(entry.name) % alignment == 0L
            isAligned = isAligned && fits
            if (isLibrary) {
                val pages = segmentAlignment(zip.getInputStream(entry).readAllBytes())
                println("library: ${entry.name}, ${entry.size} bytes, in the zip at 16 KB: $fits, its segments: $pages")
            } else if (!fits) {
                println("error: ${entry.name} is not aligned to $alignment bytes")
            }
        }
    }
    println("alignment of the zip: ${if (isAligned) "good" else "WRONG"}")
    return result.isVerified && isAligned
}

/** Where the content of each entry begins, by the central directory. */
private fun dataOffsets(zip: ByteBuffer): Map<String, Long> {
    val end = (zip.limit() - 22 downTo 0).first { zip.getInt(it) == 0x06054b50 }
    var at = zip.getInt(end + 16)
    return (0 until zip.getShort(end + 10).toInt()).associate {
        val nameSize = zip.getShort(at + 28).toInt()
        val local = zip.getInt(at + 42)
        val name = String(ByteArray(nameSize) { index -> zip.get(at + 46 + index) })
        at += 46 + nameSize + zip.getShort(at + 30) + zip.getShort(at + 32)
        name to (local + 30L + zip.getShort(local + 26) + zip.getShort(local + 28))
    }
}

/** The smallest alignment of the loaded segments of an ELF file, in bytes. */
private fun segmentAlignment(library: ByteArray): Long {
    val elf = ByteBuffer.wrap(library).order(ByteOrder.LITTLE_ENDIAN)
    val is64 = elf.get(4).toInt() == 2
    val table = if (is64) elf.getLong(32).toInt() else elf.getInt(28)
    val size = elf.getShort(if (is64) 54 else 42)
    val count = elf.getShort(if (is64) 56 else 44)
    return (0 until count).map { table + it * size }
        .filter { elf.getInt(it) == 1 }
        .minOf { if (is64) elf.getLong(it + 48) else elf.getInt(it + 28).toLong() }
}

private fun listed(folder: Path, suffix: String): List<Path> =
    Files.list(folder).use { files -> files.filter { it.toString().endsWith(suffix) }.sorted().toList() }

private fun ByteArray.toHex() = joinToString("") { "%02x".format(it) }

private fun ZipOutputStream.putDeflated(name: String, bytes: ByteArray) {
    putNextEntry(ZipEntry(name).apply { time = FIXED_TIME })
    write(bytes)
    closeEntry()
}

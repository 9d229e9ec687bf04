package org.vvipe.apk

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.file.Files
import java.nio.file.Path
import java.util.zip.ZipFile
import org.objectweb.asm.ClassReader
import org.objectweb.asm.ClassVisitor
import org.objectweb.asm.FieldVisitor
import org.objectweb.asm.MethodVisitor
import org.objectweb.asm.Opcodes

/** What a class declares: names with descriptors, and where it inherits from. */
private class Declared(val members: Set<String>, val parents: List<String>)

/**
 * Looks up every method and field that dex files refer to, in themselves and in a framework jar.
 *
 * Robolectric's framework jar leaves out `java.*`, which is looked up in the running JDK instead.
 *
 * @param framework jar of the classes that a device has.
 */
class ReferenceCheck(framework: Path) : AutoCloseable {
    private val jar = ZipFile(framework.toFile())
    private val own = mutableMapOf<String, Declared>()
    private val ofFramework = mutableMapOf<String, Declared?>()

    /** References of the [files] that lead nowhere, sorted; `count` receives how many there are in all. */
    fun findMissing(files: List<Path>, count: (Int) -> Unit): List<String> {
        val dexes = files.map { Dex(ByteBuffer.wrap(Files.readAllBytes(it)).order(ByteOrder.LITTLE_ENDIAN)) }
        for (dex in dexes) dex.readClasses(own)
        val references = dexes.flatMap { it.references() }.toSet()
        count(references.size)
        return references.filterNot { (holder, member) -> isDeclared(holder, member) }
            .map { (holder, member) -> "$holder $member" }.sorted()
    }

    override fun close() = jar.close()

    private fun isDeclared(holder: String, member: String): Boolean {
        // Arrays have the methods of Object and clone().
        if (holder.startsWith("[")) return member == "clone()Ljava/lang/Object;" || isDeclared(OBJECT, member)
        val declared = own[holder] ?: ofFramework.getOrPut(holder) { readFramework(holder) } ?: return false
        return member in declared.members || declared.parents.any { isDeclared(it, member) }
    }

    private fun readFramework(type: String): Declared? {
        val file = type.substring(1, type.length - 1) + ".class"
        val stream = jar.getEntry(file)?.let(jar::getInputStream)
            ?: ClassLoader.getPlatformClassLoader().getResourceAsStream(file)
            ?: return null
        val members = mutableSetOf<String>()
        val parents = mutableListOf<String>()
        val visitor = object : ClassVisitor(Opcodes.ASM9) {
            override fun visit(v: Int, a: Int, name: String, s: String?, parent: String?, interfaces: Array<String>) {
                (listOfNotNull(parent) + interfaces).mapTo(parents) { "L$it;" }
                // Methods of Object may be called through an interface too.
                if (parent == null && name != "java/lang/Object") parents += OBJECT
            }

            override fun visitMethod(
                a: Int, name: String, type: String, s: String?, e: Array<String>?,
            ): MethodVisitor? {
                members += name + type
                return null
            }

            override fun visitField(a: Int, name: String, type: String, s: String?, value: Any?): FieldVisitor? {
                members += "$name:$type"
                return null
            }
        }
        stream.use { ClassReader(it).accept(visitor, ClassReader.SKIP_CODE) }
        return Declared(members, parents)
    }

    private companion object {
        const val OBJECT = "Ljava/lang/Object;"
    }
}

/** A dex file; the format is that of `source.android.com/docs/core/runtime/dex-format`. */
private class Dex(private val bytes: ByteBuffer) {
    private val strings = table(56) { text(bytes.getInt(it)) }
    private val types = table(64, 4) { strings[bytes.getInt(it)] }
    private val prototypes = table(72, 12) {
        types(bytes.getInt(it + 8)).joinToString("", "(", ")") + types[bytes.getInt(it + 4)]
    }
    private val fields = table(80, 8) { types[word(it)] to "${strings[bytes.getInt(it + 4)]}:${types[word(it + 2)]}" }
    private val methods = table(88, 8) { types[word(it)] to strings[bytes.getInt(it + 4)] + prototypes[word(it + 2)] }

    /** Class and member of each method and field that the code refers to. */
    fun references(): List<Pair<String, String>> = fields + methods

    fun readClasses(into: MutableMap<String, Declared>) {
        table(96, 32) { at ->
            val parent = bytes.getInt(at + 8)
            val parents = types(bytes.getInt(at + 12)) + listOfNotNull(types.getOrNull(parent))
            into[types[bytes.getInt(at)]] = Declared(members(bytes.getInt(at + 24)), parents)
        }
    }

    private fun members(data: Int): Set<String> {
        if (data == 0) return emptySet()
        val reader = bytes.duplicate().position(data)
        val (staticFields, instanceFields, directMethods, virtualMethods) = List(4) { reader.uleb() }
        val found = mutableSetOf<String>()
        for ((count, isMethod) in listOf(
            staticFields to false, instanceFields to false, directMethods to true, virtualMethods to true,
        )) {
            var index = 0
            repeat(count) {
                index += reader.uleb()
                reader.uleb()
                if (isMethod) reader.uleb()
                found += (if (isMethod) methods else fields)[index].second
            }
        }
        return found
    }

    private fun types(list: Int): List<String> =
        if (list == 0) emptyList() else List(bytes.getInt(list)) { types[word(list + 4 + it * 2)] }

    private fun <T> table(header: Int, size: Int = 4, read: (Int) -> T): List<T> =
        List(bytes.getInt(header)) { read(bytes.getInt(header + 4) + it * size) }

    private fun text(at: Int): String {
        val reader = bytes.duplicate().position(at)
        reader.uleb()
        val start = reader.position()
        val end = (start until bytes.limit()).first { bytes.get(it) == 0.toByte() }
        // Names are modified UTF-8, which is UTF-8 for all that occurs in names.
        return String(bytes.array(), start, end - start)
    }

    private fun word(at: Int) = bytes.getShort(at).toInt() and 0xFFFF

    private fun ByteBuffer.uleb(): Int {
        var value = 0
        var shift = 0
        do {
            val byte = get().toInt()
            value = value or (byte and 0x7F shl shift)
            shift += 7
        } while (byte and 0x80 != 0)
        return value
    }
}

package org.vvipe.core

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File

/** What Gradle would build is what Maven tests here. */
class GradleProjectTest {
    private val project = File(Fixtures.property("vvipe.project"))

    @Test
    fun `both builds use the same versions`() {
        val catalog = project.resolve("gradle/libs.versions.toml").readText()
        val maven = project.resolve("test/pom.xml").readText()
        for (name in listOf("kotlin", "junit", "jna")) {
            val inCatalog = Regex("^$name = \"(.+)\"$", RegexOption.MULTILINE).find(catalog)!!.groupValues[1]
            val inMaven = Regex("<$name.version>(.+)</$name.version>").find(maven)!!.groupValues[1]
            assertEquals(inCatalog, inMaven, name)
        }
    }

    @Test
    fun `core needs neither Android nor a library`() {
        val sources = project.resolve("core/src/main/kotlin").walk().filter { it.extension == "kt" }.toList()
        assertTrue(sources.size > 20)
        val allowed = Regex("import (kotlin\\.|java\\.(io|nio|security)\\.).*")
        val others = sources.flatMap { it.readLines() }.filter { it.startsWith("import ") && !allowed.matches(it) }
        assertEquals(emptyList<String>(), others)
    }
}

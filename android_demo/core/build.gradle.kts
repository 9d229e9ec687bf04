import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.kotlin.jvm)
}

java {
    sourceCompatibility = JavaVersion.VERSION_1_8
    targetCompatibility = JavaVersion.VERSION_1_8
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.JVM_1_8
        allWarningsAsErrors = true
    }
}

dependencies {
    testImplementation(libs.junit.jupiter)
    testImplementation(libs.jna)
    testRuntimeOnly(libs.junit.launcher)
}

tasks.test {
    useJUnitPlatform()
    // android_demo/test/run prepares the fixtures, finds the runtime and says where both are.
    for (name in listOf("vvipe.fixtures", "vvipe.litert", "vvipe.project")) {
        providers.systemProperty(name).orNull?.let { systemProperty(name, it) }
    }
    onlyIf("the fixtures of test/run are named") { providers.systemProperty("vvipe.fixtures").isPresent }
}

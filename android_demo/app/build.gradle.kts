import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.android.application)
    alias(libs.plugins.kotlin.android)
}

android {
    namespace = "org.vvipe.demo"
    compileSdk = libs.versions.compileSdk.get().toInt()

    defaultConfig {
        applicationId = "org.vvipe.demo"
        minSdk = libs.versions.minSdk.get().toInt()
        targetSdk = libs.versions.compileSdk.get().toInt()
        versionCode = 1
        versionName = "1.0.0"
        ndk {
            abiFilters += listOf("arm64-v8a", "armeabi-v7a", "x86_64")
        }
    }

    // Kotlin that may be debugged is several times slower per frame; signed with the debug key so that it installs.
    buildTypes {
        release {
            signingConfig = signingConfigs.getByName("debug")
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }

    // Models are mapped from the APK, which only works for what is stored as it is.
    androidResources {
        noCompress += "tflite"
    }

    packaging {
        jniLibs {
            useLegacyPackaging = false
        }
    }
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.JVM_1_8
    }
}

dependencies {
    implementation(project(":core"))
    implementation(libs.litert)
    implementation(libs.litert.gpu)
    implementation(libs.litert.gpu.api)
}

// Without its models the app shows pictures and no poses; better to hear of it while building.
val checkModels = tasks.register("checkModels") {
    val assets = layout.projectDirectory.dir("src/main/assets")
    val needed = listOf("model.json", "detector.json", "gallery.json").map { assets.file(it).asFile }
    doLast {
        val missing = needed.filterNot { it.exists() }
        if (missing.isNotEmpty()) {
            throw GradleException("Expected the files of `python -m export.android`. Missing: ${missing.map { it.name }}")
        }
    }
}

tasks.named("preBuild") { dependsOn(checkModels) }

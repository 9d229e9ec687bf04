# Sourced by ./build and ../test/run_app: gets the tools and compiles the app into ../build. Needs JDK 17 and Maven.
# Exit code 3: something could not be fetched. aapt2 is taken from the PATH; where there is none, from Debian's packages, unpacked and not installed.

demo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=$demo/build
assets=$demo/app/src/main/assets

joined() { local IFS=:; echo "$*"; }

kotlin() { # kotlin CLASSPATH TARGET_FOLDER FLAGS_AND_SOURCES...
    local classpath=$1 target=$2
    shift 2
    rm -rf "$target"
    java -Xmx1g -cp "$(joined "$out"/lib/tools/kotlin*.jar "$out"/lib/app/*.jar)" \
        org.jetbrains.kotlin.cli.jvm.K2JVMCompiler -no-stdlib -no-reflect -Werror \
        -cp "$classpath" -d "$target" "$@"
}

fetch_libraries() {
    local stamp=$out/lib/.fetched
    if [[ ! $stamp -nt $demo/apk/pom.xml ]]; then
        echo "== libraries from Maven Central"
        rm -rf "$out/lib" "$out/aar"
        mvn -q -B -ntp -f "$demo/apk/pom.xml" package ||
            { echo "error: Expected Maven Central. Received: the failure above" >&2; exit 3; }
        local archive name
        for archive in "$out"/lib/{app,test}/*.aar; do
            name=$(basename "$archive" .aar)
            mkdir -p "$out/aar/$name"
            (cd "$out/aar/$name" && jar xf "$archive")
            mv "$out/aar/$name/classes.jar" "${archive%.aar}.jar"
            rm "$archive"
        done
        touch "$stamp"
    fi
    framework=$(echo "$out"/lib/tools/android-all-16-*.jar)
    libraries=$(joined "$out"/lib/app/*.jar)
}

fetch_aapt2() {
    if command -v aapt2 > /dev/null; then
        return
    fi
    packages=$out/debian
    if [[ ! -x $packages/usr/bin/aapt2 ]]; then
        echo "== aapt2 from Debian"
        mkdir -p "$packages/deb"
        (cd "$packages/deb" && apt-get -qq download aapt apksigner libapksig-java android-libaapt android-libandroidfw \
            android-libbacktrace android-libbase android-libcutils android-liblog android-libutils \
            android-libziparchive libprotobuf-lite32 libunwind8 libzopfli1 p7zip p7zip-full 2> log) ||
            { cat "$packages/deb/log" >&2; echo "error: Expected aapt2, or a Debian after apt-get update" >&2; exit 3; }
        local package
        for package in "$packages"/deb/*.deb; do dpkg -x "$package" "$packages"; done
    fi
    aapt2() {
        local lib=$packages/usr/lib
        LD_LIBRARY_PATH=$lib/x86_64-linux-gnu/android:$lib/x86_64-linux-gnu:$lib/p7zip:$lib \
            "$packages/usr/bin/aapt2" "$@"
    }
    # A second opinion on the signature, by an older release of the same tool.
    apksigner() { java -jar "$packages/usr/share/java/apksigner.jar" "$@"; }
}

compile_tools() {
    if [[ -e $out/tools/.built && -z $(find "$demo/apk/tools" -newer "$out/tools/.built") ]]; then
        return
    fi
    echo "== tools"
    kotlin "$libraries:$(echo "$out"/lib/tools/apksig-*.jar):$(echo "$out"/lib/test/asm-9*.jar)" "$out/tools" -jvm-target 17 "$demo"/apk/tools/*.kt
    touch "$out/tools/.built"
}

apk_tools() {
    java -cp "$(joined "$out/tools" "$out"/lib/tools/apksig-*.jar "$out"/lib/test/asm-9*.jar "$out"/lib/app/kotlin-stdlib-*.jar)" \
        org.vvipe.apk.ApkToolsKt "$@"
}

link_resources() { # link_resources ASSETS_FOLDER TARGET_FOLDER: base.apk, AndroidManifest.xml and the classes of R
    echo "== resources"
    local target=$2
    if [[ ! -s $out/framework.apk ]]; then
        apk_tools framework "$framework" "$out/framework.tmp"
        mv "$out/framework.tmp" "$out/framework.apk"
    fi
    rm -rf "$target" && mkdir -p "$target"
    # Gradle takes package and versions from its build script; aapt2 wants them in the manifest. TensorFlow Lite 2.16.1
    # has segments of 4 KB, which phones with larger pages run in the compatibility mode that the manifest asks for.
    sed -e 's#<manifest #&package="org.vvipe.demo" #' \
        -e 's#<application#<uses-sdk android:minSdkVersion="24" android:targetSdkVersion="36" />& android:pageSizeCompat="enabled"#' \
        "$demo/app/src/main/AndroidManifest.xml" > "$target/AndroidManifest.xml"
    aapt2 compile --dir "$demo/app/src/main/res" -o "$target/resources.zip"
    # Debian's aapt2 (Android 10) knows neither newer chunks of the framework nor uses-native-library, and says so.
    aapt2 link --warn-manifest-validation -I "$out/framework.apk" --manifest "$target/AndroidManifest.xml" -A "$1" \
        -0 .tflite --version-code 1 --version-name 1.0.0 --debug-mode --java "$target/java" -o "$target/base.apk" \
        "$target/resources.zip" 2> "$target/log" || { cat "$target/log" >&2; return 1; }
    mkdir "$target/r"
    javac -nowarn --release 8 -Xlint:-options -d "$target/r" "$target/java/org/vvipe/demo/R.java"
}

compile_app() { # compile_app FOLDER_OF_R
    if [[ -e $out/classes/.built && -z $(find "$demo/core/src/main" "$demo/app/src/main" -newer "$out/classes/.built") ]]; then
        return
    fi
    echo "== core and app"
    rm -f "$out/classes/.built"
    kotlin "$libraries" "$out/classes/core" -Xjdk-release=1.8 "$demo/core/src/main/kotlin"
    kotlin "$framework:$libraries:$1:$out/classes/core" "$out/classes/app" -Xjdk-release=1.8 "$demo/app/src/main/kotlin"
    touch "$out/classes/.built"
}

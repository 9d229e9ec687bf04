package org.vvipe.core

import com.sun.jna.Memory
import com.sun.jna.Native
import com.sun.jna.NativeLibrary
import com.sun.jna.Pointer

/**
 * The part of LiteRT's C API (2.3) that running a model needs, from libLiteRt.so of the ai-edge-litert wheel.
 *
 * Handles, pointers and sizes are 64-bit numbers: direct mapping of numbers allocates nothing on a call.
 */
internal object LiteRt {
    const val CPU = 1

    init {
        Native.register(LiteRt::class.java, NativeLibrary.getInstance(Fixtures.property("vvipe.litert")))
    }

    @JvmStatic external fun LiteRtCreateEnvironment(count: Int, options: Long, environment: Long): Int
    @JvmStatic external fun LiteRtDestroyEnvironment(environment: Long)
    @JvmStatic external fun LiteRtCreateModelFromBuffer(environment: Long, bytes: Long, size: Long, model: Long): Int
    @JvmStatic external fun LiteRtDestroyModel(model: Long)
    @JvmStatic external fun LiteRtCreateOptions(options: Long): Int
    @JvmStatic external fun LiteRtSetOptionsHardwareAccelerators(options: Long, accelerators: Int): Int
    @JvmStatic external fun LiteRtDestroyOptions(options: Long)
    @JvmStatic external fun LiteRtCreateCompiledModel(environment: Long, model: Long, options: Long, out: Long): Int
    @JvmStatic external fun LiteRtDestroyCompiledModel(compiled: Long)
    @JvmStatic external fun LiteRtGetNumModelSignatures(model: Long, count: Long): Int
    @JvmStatic external fun LiteRtGetModelSignature(model: Long, index: Long, signature: Long): Int
    @JvmStatic external fun LiteRtGetSignatureKey(signature: Long, key: Long): Int
    @JvmStatic external fun LiteRtGetNumSignatureInputs(signature: Long, count: Long): Int
    @JvmStatic external fun LiteRtGetSignatureInputName(signature: Long, index: Long, name: Long): Int
    @JvmStatic external fun LiteRtGetSignatureInputTensorByIndex(signature: Long, index: Long, tensor: Long): Int
    @JvmStatic external fun LiteRtGetNumSignatureOutputs(signature: Long, count: Long): Int
    @JvmStatic external fun LiteRtGetSignatureOutputName(signature: Long, index: Long, name: Long): Int
    @JvmStatic external fun LiteRtGetSignatureOutputTensorByIndex(signature: Long, index: Long, tensor: Long): Int
    @JvmStatic external fun LiteRtGetRankedTensorType(tensor: Long, type: Long): Int
    @JvmStatic external fun LiteRtCompiledModelResizeInputTensor(
        compiled: Long, signature: Long, input: Long, sizes: Long, rank: Long,
    ): Int
    @JvmStatic external fun LiteRtGetCompiledModelInputBufferRequirements(
        compiled: Long, signature: Long, input: Long, requirements: Long,
    ): Int
    @JvmStatic external fun LiteRtGetCompiledModelOutputBufferRequirements(
        compiled: Long, signature: Long, output: Long, requirements: Long,
    ): Int
    @JvmStatic external fun LiteRtCreateManagedTensorBufferFromRequirements(
        environment: Long, type: Long, requirements: Long, buffer: Long,
    ): Int
    @JvmStatic external fun LiteRtGetTensorBufferHostMemory(buffer: Long, address: Long): Int
    @JvmStatic external fun LiteRtGetTensorBufferSize(buffer: Long, size: Long): Int
    @JvmStatic external fun LiteRtDestroyTensorBuffer(buffer: Long)
    @JvmStatic external fun LiteRtRunCompiledModel(
        compiled: Long, signature: Long, inputs: Long, inputBuffers: Long, outputs: Long, outputBuffers: Long,
    ): Int

    /** Runs [call] with room for one 64-bit number, and returns what was written there. */
    fun receive(call: (Long) -> Int): Long = Memory(8).use { memory ->
        memory.setLong(0, 0)
        check(call(Pointer.nativeValue(memory)))
        memory.getLong(0)
    }

    fun check(status: Int) = check(status == 0) { "Expected status 0 of LiteRT. Received: $status" }

    fun text(address: Long): String = Pointer(address).getString(0)
}

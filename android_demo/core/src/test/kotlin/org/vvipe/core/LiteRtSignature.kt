package org.vvipe.core

import com.sun.jna.Memory
import com.sun.jna.Pointer
import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * One signature of a model in LiteRT on the CPU, for a batch of one; the buffers are shared with the runtime.
 *
 * @param content bytes of a verified model.
 * @param signature its name; null for the only one of a model without names.
 */
internal class LiteRtSignature(content: ByteArray, signature: String?) : AutoCloseable {
    private val bytes = Memory(content.size.toLong()).also { it.write(0, content, 0, content.size) }
    private val environment = LiteRt.receive { LiteRt.LiteRtCreateEnvironment(0, 0, it) }
    private val model = LiteRt.receive {
        LiteRt.LiteRtCreateModelFromBuffer(environment, Pointer.nativeValue(bytes), bytes.size(), it)
    }
    private val options = LiteRt.receive(LiteRt::LiteRtCreateOptions)
    private val compiled: Long
    private val index: Long
    private val handles = ArrayList<Long>()
    private val inputHandles: Memory
    private val outputHandles: Memory
    private val numInputs: Long
    private val numOutputs: Long

    /** Buffers by the name of the input or output, native byte order. */
    val inputs: Map<String, ByteBuffer>
    val outputs: Map<String, ByteBuffer>

    init {
        LiteRt.check(LiteRt.LiteRtSetOptionsHardwareAccelerators(options, LiteRt.CPU))
        compiled = LiteRt.receive { LiteRt.LiteRtCreateCompiledModel(environment, model, options, it) }
        val count = LiteRt.receive { LiteRt.LiteRtGetNumModelSignatures(model, it) }
        val keys = (0 until count).map { number -> LiteRt.text(handle(number) { key, out ->
            LiteRt.LiteRtGetSignatureKey(key, out)
        }) }
        index = if (signature == null && count == 1L) 0 else keys.indexOf(signature).toLong()
        check(index >= 0) { "Expected a signature $signature. Received: only $keys" }
        val own = LiteRt.receive { LiteRt.LiteRtGetModelSignature(model, index, it) }
        numInputs = LiteRt.receive { LiteRt.LiteRtGetNumSignatureInputs(own, it) }
        numOutputs = LiteRt.receive { LiteRt.LiteRtGetNumSignatureOutputs(own, it) }
        inputs = (0 until numInputs).associate { number ->
            val type = typeOf(LiteRt.receive { LiteRt.LiteRtGetSignatureInputTensorByIndex(own, number, it) })
            fixBatch(type, number)
            val needs = LiteRt.receive {
                LiteRt.LiteRtGetCompiledModelInputBufferRequirements(compiled, index, number, it)
            }
            LiteRt.text(LiteRt.receive { LiteRt.LiteRtGetSignatureInputName(own, number, it) }) to buffer(type, needs)
        }
        outputs = (0 until numOutputs).associate { number ->
            val type = typeOf(LiteRt.receive { LiteRt.LiteRtGetSignatureOutputTensorByIndex(own, number, it) })
            if (type.getInt(DIMENSIONS) < 0) type.setInt(DIMENSIONS, 1)
            val needs = LiteRt.receive {
                LiteRt.LiteRtGetCompiledModelOutputBufferRequirements(compiled, index, number, it)
            }
            LiteRt.text(LiteRt.receive { LiteRt.LiteRtGetSignatureOutputName(own, number, it) }) to buffer(type, needs)
        }
        inputHandles = array(handles.take(numInputs.toInt()))
        outputHandles = array(handles.drop(numInputs.toInt()))
    }

    private val inputAddress = Pointer.nativeValue(inputHandles)
    private val outputAddress = Pointer.nativeValue(outputHandles)

    /** Runs the signature on what is in [inputs]. */
    fun run() = LiteRt.check(
        LiteRt.LiteRtRunCompiledModel(compiled, index, numInputs, inputAddress, numOutputs, outputAddress),
    )

    override fun close() {
        handles.forEach(LiteRt::LiteRtDestroyTensorBuffer)
        LiteRt.LiteRtDestroyCompiledModel(compiled)
        LiteRt.LiteRtDestroyOptions(options)
        LiteRt.LiteRtDestroyModel(model)
        LiteRt.LiteRtDestroyEnvironment(environment)
    }

    private fun handle(number: Long, read: (Long, Long) -> Int): Long {
        val signature = LiteRt.receive { LiteRt.LiteRtGetModelSignature(model, number, it) }
        return LiteRt.receive { read(signature, it) }
    }

    private fun typeOf(tensor: Long): Memory {
        // An element type, the rank in 7 bits, then 8 sizes and 8 strides; room for more, should the struct grow.
        val type = Memory(TYPE_BYTES).also(Memory::clear)
        LiteRt.check(LiteRt.LiteRtGetRankedTensorType(tensor, Pointer.nativeValue(type)))
        return type
    }

    private fun fixBatch(type: Memory, input: Long) {
        if (type.getInt(DIMENSIONS) > 0) return
        type.setInt(DIMENSIONS, 1)
        val rank = (type.getInt(RANK) and 0x7F).toLong()
        val sizes = Pointer.nativeValue(type) + DIMENSIONS
        LiteRt.check(LiteRt.LiteRtCompiledModelResizeInputTensor(compiled, index, input, sizes, rank))
    }

    private fun buffer(type: Memory, requirements: Long): ByteBuffer {
        val handle = LiteRt.receive {
            LiteRt.LiteRtCreateManagedTensorBufferFromRequirements(
                environment, Pointer.nativeValue(type), requirements, it,
            )
        }
        handles += handle
        val address = LiteRt.receive { LiteRt.LiteRtGetTensorBufferHostMemory(handle, it) }
        val size = LiteRt.receive { LiteRt.LiteRtGetTensorBufferSize(handle, it) }
        return Pointer(address).getByteBuffer(0, size).order(ByteOrder.nativeOrder())
    }

    private fun array(handles: List<Long>) = Memory(8L * handles.size).also { memory ->
        handles.forEachIndexed { place, handle -> memory.setLong(8L * place, handle) }
    }

    private companion object {
        const val TYPE_BYTES = 256L
        const val RANK = 4L
        const val DIMENSIONS = 8L
    }
}

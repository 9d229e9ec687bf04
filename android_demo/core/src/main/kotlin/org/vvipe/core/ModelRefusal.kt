package org.vvipe.core

import java.nio.ByteBuffer
import java.security.MessageDigest

/** Why a model is not used. */
enum class ModelRefusal {
    /** The file, or the document beside it, is not there. */
    MISSING,

    /** The document beside the model is damaged, of another format, or does not describe what this code can run. */
    METADATA_DIFFERS,

    /** The bytes are not those that the document beside the model names. */
    HASH_DIFFERS,
}

/** A model that is not used; the message is one line that says what was expected and what was received. */
class ModelRefusedException(val refusal: ModelRefusal, message: String, cause: Throwable? = null) :
    Exception(message, cause)

/**
 * Compares the SHA-256 of a model with that which its manifest names; nothing may reach an interpreter before.
 *
 * @param content bytes of the model; its position is left as it is.
 * @param sha256 hash that they must have, hexadecimal.
 * @throws ModelRefusedException if it differs.
 */
fun checkHash(content: ByteBuffer, sha256: String) {
    val digest = MessageDigest.getInstance("SHA-256").also { it.update(content.duplicate()) }.digest()
    val found = digest.joinToString("") { byte -> ((byte.toInt() and 0xFF) or 0x100).toString(16).substring(1) }
    if (found != sha256.lowercase()) {
        throw ModelRefusedException(
            ModelRefusal.HASH_DIFFERS,
            "Expected a model with the SHA-256 ${sha256.lowercase()}. Received: $found, ${content.remaining()} bytes",
        )
    }
}

package org.vvipe.core

/** The nearest poses of a gallery, nearest first; reused from frame to frame. */
class Neighbours(capacity: Int) {
    init {
        require(capacity > 0) { "Expected room for at least one neighbour. Received: $capacity" }
    }

    /** Row numbers in the gallery. */
    val rows = IntArray(capacity)

    /** Distances of the embeddings (L2). */
    val distances = FloatArray(capacity)

    /** How many there are. */
    var size = 0
        private set

    fun clear() {
        size = 0
    }

    fun copyFrom(other: Neighbours) {
        other.rows.copyInto(rows)
        other.distances.copyInto(distances)
        size = other.size
    }

    /** Keeps [row] if it is among the nearest so far; of equally near ones the first stays in front. */
    fun offer(row: Int, distance: Float) {
        if (size == rows.size && !(distance < distances[size - 1])) return
        var place = if (size < rows.size) size++ else size - 1
        while (place > 0 && distance < distances[place - 1]) {
            rows[place] = rows[place - 1]
            distances[place] = distances[place - 1]
            place--
        }
        rows[place] = row
        distances[place] = distance
    }
}

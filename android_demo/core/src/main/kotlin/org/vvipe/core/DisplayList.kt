package org.vvipe.core

/** Paints what a [DisplayList] holds. Coordinates and sizes in pixels of the view, y down; colours `0xAARRGGBB`. */
interface Painter {
    fun line(x0: Float, y0: Float, x1: Float, y1: Float, width: Float, colour: Int)

    fun disc(x: Float, y: Float, radius: Float, colour: Int)
}

/**
 * Lines and discs to be painted, the farthest first; refilled for each picture without allocating.
 *
 * @param capacity most elements that it can hold.
 */
class DisplayList(private val capacity: Int = 128) {
    private val values = FloatArray(capacity * STRIDE)
    private val depths = FloatArray(capacity)
    private val colours = IntArray(capacity)
    private val order = IntArray(capacity)

    /** Number of elements. */
    var size = 0
        private set

    fun clear() {
        size = 0
    }

    /** Adds a line of some [width] in pixels; of a larger [depth] is what lies farther away. */
    fun addLine(x0: Float, y0: Float, x1: Float, y1: Float, width: Float, colour: Int, depth: Float) =
        add(x0, y0, x1, y1, width, colour, depth)

    /** Adds a filled disc of some [radius] in pixels. */
    fun addDisc(x: Float, y: Float, radius: Float, colour: Int, depth: Float) =
        add(x, y, radius, 0f, DISC, colour, depth)

    /** Paints everything, the farthest first; of what is equally far, what was added first. */
    fun paint(painter: Painter) {
        sort()
        for (place in 0 until size) {
            val element = order[place]
            val at = element * STRIDE
            val width = values[at + 4]
            if (width == DISC) {
                painter.disc(values[at], values[at + 1], values[at + 2], colours[element])
            } else {
                painter.line(values[at], values[at + 1], values[at + 2], values[at + 3], width, colours[element])
            }
        }
    }

    private fun add(a: Float, b: Float, c: Float, d: Float, width: Float, colour: Int, depth: Float) {
        check(size < capacity) { "Expected at most $capacity elements. Received: one more" }
        val at = size * STRIDE
        values[at] = a
        values[at + 1] = b
        values[at + 2] = c
        values[at + 3] = d
        values[at + 4] = width
        colours[size] = colour
        depths[size] = depth
        order[size] = size
        size++
    }

    // By insertion: stable, in place, and quick for the few dozen elements of a skeleton.
    private fun sort() {
        for (next in 1 until size) {
            val element = order[next]
            var place = next
            while (place > 0 && depths[order[place - 1]] < depths[element]) {
                order[place] = order[place - 1]
                place--
            }
            order[place] = element
        }
    }

    private companion object {
        const val STRIDE = 5
        const val DISC = -1f
    }
}

package org.vvipe.core

/** What the pipeline says about the person in a frame. */
enum class PersonState {
    /** Fewer joints are visible than a person would show. There is no pose. */
    NOBODY,

    /**
     * A person of whom too little is seen to be lifted: both hips, a shoulder, 6 joints and a knee or an ankle are
     * needed. There is no pose.
     */
    HALF_BODY,

    /** A person who was whole has a joint at the edge of the picture or past it. There may still be a pose. */
    LEAVING,

    /** A person who can be lifted. There is a pose; joints that are not visible are guessed by the model. */
    TRACKED,
}

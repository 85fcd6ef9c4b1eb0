//! What the trainer says and takes on 127.0.0.1: the types, for both sides.

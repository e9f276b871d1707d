/*
 * Last line of every .def file: no kind of row outlives its view.
 */
#undef MESSAGE
#undef TYPE
#undef END
#undef NOTHING
#undef U8
#undef U16
#undef U32
#undef U64
#undef I64
#undef ID
#undef BOOL
#undef CHOICE
#undef FLAGS
#undef BYTES
#undef TEXT
#undef SECRET
#undef PATH
#undef NAME
#undef ADDRESS
#undef RECORD
#undef LIST

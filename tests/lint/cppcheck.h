/* What cppcheck must know of jansson's macros, for it is not given the system's headers. */
#define json_array_foreach(array, index, value)                                                    \
        for (index = 0; (value = json_array_get(array, index)) != NULL; index++)
#define json_object_foreach(object, key, value)                                                    \
        for (key = json_first_key(object); (value = json_object_get(object, key)) != NULL;         \
             key = json_next_key(object))
#define json_object_foreach_safe(object, next, key, value) json_object_foreach(object, key, value)

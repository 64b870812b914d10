#include "job/json_writer.h"

#include "base/text.h"

bool json_append_string(struct locked_buffer *buffer, const char *bytes, size_t length) {
        bool ok = locked_buffer_append(buffer, "\"", 1);

        for (size_t i = 0; ok && i < length; i++) {
                char escape[8] = "";
                size_t used = 0;

                if (bytes[i] == '"' || bytes[i] == '\\')
                        (void)text_append(escape, sizeof(escape), &used, "\\%c", bytes[i]);
                else if ((unsigned char)bytes[i] < 0x20)
                        (void)text_append(escape, sizeof(escape), &used, "\\u%04x",
                                          (unsigned char)bytes[i]);
                ok = locked_buffer_append(buffer, used > 0 ? escape : &bytes[i],
                                          used > 0 ? used : 1);
        }
        return ok && locked_buffer_append(buffer, "\"", 1);
}

#pragma once

/// Content-Encoding: gzip.

#include <zlib.h>

#include <string>
#include <string_view>

namespace graphsim {

/// Packs a text that comes in pieces.
class GzipWriter {
public:
    GzipWriter();
    ~GzipWriter();
    GzipWriter(GzipWriter const&) = delete;
    GzipWriter& operator=(GzipWriter const&) = delete;

    /// Appends what there is to send; `last` ends the packed text.
    void add(std::string_view bytes, bool last, std::string& packed);

private:
    z_stream state_{};
};

std::string gzip(std::string_view bytes);

}  // namespace graphsim

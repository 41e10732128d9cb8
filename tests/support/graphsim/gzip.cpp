#include "tests/support/graphsim/gzip.hpp"

#include <array>

namespace graphsim {

GzipWriter::GzipWriter() {
    constexpr int gzip_window = 15 + 16;
    deflateInit2(&state_, Z_BEST_SPEED, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY);
}

GzipWriter::~GzipWriter() { deflateEnd(&state_); }

void GzipWriter::add(std::string_view bytes, bool last, std::string& packed) {
    std::array<char, 16 * 1024> room;
    state_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    state_.avail_in = static_cast<uInt>(bytes.size());
    do {
        state_.next_out = reinterpret_cast<Bytef*>(room.data());
        state_.avail_out = static_cast<uInt>(room.size());
        deflate(&state_, last ? Z_FINISH : Z_NO_FLUSH);
        packed.append(room.data(), room.size() - state_.avail_out);
    } while (state_.avail_out == 0);
}

std::string gzip(std::string_view bytes) {
    GzipWriter writer;
    std::string packed;
    writer.add(bytes, true, packed);
    return packed;
}

}  // namespace graphsim

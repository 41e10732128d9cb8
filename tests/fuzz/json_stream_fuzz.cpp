// Goal: whatever comes as JSON, the stream neither crashes nor depends on how it was cut, and it
// agrees with boost.json's own reader on what JSON is. Method: as for the other parsers, and a
// comparison with the document that boost.json makes of it.

#include "transport/http/json_stream.hpp"

#include <boost/json/parse.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>

namespace {

using namespace mailferry;

class Printer final : public http::JsonHandler {
public:
    bool in_pieces(http::JsonPath path) override { return path.size() % 2 == 0; }
    Result<void> string_piece(http::JsonPath path, std::string_view piece, bool last) override {
        pieces_ += piece;
        return last ? say(path, "~" + std::exchange(pieces_, {})) : Result<void>{};
    }
    Result<void> text(http::JsonPath path, std::string_view value) override {
        return say(path, "=" + std::string(value));
    }
    Result<void> integer(http::JsonPath path, std::int64_t value) override {
        return say(path, std::to_string(value));
    }
    Result<void> real(http::JsonPath path, double value) override {
        return say(path, std::to_string(value));
    }
    Result<void> boolean(http::JsonPath path, bool value) override {
        return say(path, value ? "true" : "false");
    }
    Result<void> null(http::JsonPath path) override { return say(path, "null"); }
    Result<void> object_begin(http::JsonPath path) override { return say(path, "{"); }
    Result<void> object_end(http::JsonPath path) override { return say(path, "}"); }
    Result<void> array_begin(http::JsonPath path) override { return say(path, "["); }
    Result<void> array_end(http::JsonPath path) override { return say(path, "]"); }
    std::string out;

private:
    Result<void> say(http::JsonPath path, std::string const& event) {
        out += std::string(path) + event + "\n";
        return {};
    }
    std::string pieces_;
};

http::JsonLimits fuzz_limits() {
    http::JsonLimits limits;
    limits.depth_max = 32;
    limits.key_bytes_max = limits.text_bytes_max = 1 << 20;
    return limits;
}

struct Outcome {
    std::string events;
    bool good;
};

Outcome read(std::string_view json, std::function<std::size_t()> const& slice) {
    Printer printer;
    http::JsonStream stream(printer, fuzz_limits());
    Result<void> result;
    while (result && !json.empty()) {
        auto const count = std::min(slice(), json.size());
        result = stream.write(json.substr(0, count));
        json.remove_prefix(count);
    }
    if (result) result = stream.finish();
    return {printer.out, result.has_value()};
}

void expect(bool same, char const* what, Outcome const& a, Outcome const& b) {
    if (same) return;
    std::fprintf(stderr, "%s\n%d %s\n%d %s\n", what, a.good, a.events.c_str(), b.good,
                 b.events.c_str());
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const json(reinterpret_cast<char const*>(data), size);
    std::mt19937 random(size == 0 ? 0 : data[0]);
    auto const whole = read(json, [&] { return json.size(); });
    auto const single = read(json, [] { return std::size_t{1}; });
    auto const mixed = read(json, [&] { return std::size_t{1} + random() % 16; });
    for (auto const& other : {single, mixed})
        expect(whole.good == other.good && (!whole.good || whole.events == other.events),
               "the slicing shows", whole, other);
    boost::json::parse_options options;
    options.max_depth = 32;
    boost::system::error_code error;
    static_cast<void>(boost::json::parse({json.data(), json.size()}, error, {}, options));
    expect(whole.good == !error, "boost.json thinks otherwise", whole, whole);
    return 0;
}

// Goal: whatever an HTTP server sends, the way from its bytes to a body neither crashes nor depends
// on how TCP cut them. Method: the input is fed whole, octet by octet, and in pieces drawn from
// itself; all three must give the same steps. Small limits, so that each of them is met.

#include "transport/http/base64.hpp"
#include "transport/http/gunzip.hpp"
#include "transport/http/response_parser.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>

namespace {

using namespace mailferry;
using http::ResponseParser;

ResponseParser::Limits small_limits() {
    ResponseParser::Limits limits;
    limits.head_bytes_max = 256;
    limits.headers_max = 6;
    limits.body_bytes_max = 512;
    limits.informational_max = 2;
    return limits;
}

/// The body, decoded as a client would; what fails says "!".
class Body {
public:
    void add(std::string_view bytes) {
        plain += bytes;
        if (!failed_) inflate(bytes);
        std::vector<std::byte> decoded;
        if (!base64_failed_ && !decoder_.write(bytes, decoded)) base64_failed_ = true;
    }
    std::string text() {
        return plain + "|" + (failed_ ? "!" : unpacked_) + (gunzip_.complete() ? "." : "") + "|" +
               (base64_failed_ || !decoder_.finish() ? "!" : "ok");
    }
    std::string plain;

private:
    void inflate(std::string_view bytes) {
        gunzip_.write(std::as_bytes(std::span(bytes.data(), bytes.size())));
        for (;;) {
            auto const next = gunzip_.next();
            failed_ = !next;
            if (failed_ || !*next) return;
            unpacked_.append(reinterpret_cast<char const*>((*next)->data()), (*next)->size());
        }
    }
    http::Gunzip gunzip_;
    http::Base64Decoder decoder_;
    std::string unpacked_;
    bool failed_ = false, base64_failed_ = false;
};

std::string steps_of(std::string_view wire, std::function<std::size_t()> const& slice,
                     bool bodiless) {
    ResponseParser parser(small_limits(), bodiless);
    std::string head, unread;
    Body body;
    auto const finish = [&](std::string_view word) {
        return head + body.text() + " " + std::string(word);
    };
    // How a broken response fails, and when, depends on the pieces; what a good one means never.
    std::string const broken = "broken";
    for (;;) {
        std::string_view input = unread;
        auto const step = parser.next(input);
        if (!step) return broken;
        if (auto const* const found = std::get_if<ResponseParser::Head>(&*step)) {
            head = std::to_string(found->head.status);
            for (auto const& header : found->head.headers)
                head += "{" + header.name + ":" + header.value + "}";
        } else if (auto const* const piece = std::get_if<ResponseParser::Piece>(&*step)) {
            body.add(piece->bytes);
        } else if (auto const* const end = std::get_if<ResponseParser::End>(&*step)) {
            return finish(end->keep_alive ? "end" : "end-close");
        }
        unread.erase(0, unread.size() - input.size());
        if (!std::holds_alternative<ResponseParser::NeedMore>(*step)) continue;
        if (wire.empty()) return parser.end_of_stream() ? finish("closed") : broken;
        auto const count = std::min(slice(), wire.size());
        unread += wire.substr(0, count);
        wire.remove_prefix(count);
    }
}

void compare(std::string const& whole, std::string const& sliced) {
    if (whole == sliced) return;
    std::fprintf(stderr, "whole:  %s\nsliced: %s\n", whole.c_str(), sliced.c_str());
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    // Beyond the limits on heads the slicing decides how much is looked at before the refusal.
    if (size == 0 || size > 200) return 0;
    std::string_view wire(reinterpret_cast<char const*>(data), size);
    auto const bodiless = data[0] % 16 == 0;
    std::mt19937 random(data[0]);
    wire.remove_prefix(1);
    auto const whole = steps_of(
        wire, [&] { return wire.size(); }, bodiless);
    compare(whole, steps_of(
                       wire, [] { return std::size_t{1}; }, bodiless));
    compare(whole, steps_of(
                       wire, [&] { return std::size_t{1} + random() % 16; }, bodiless));
    return 0;
}

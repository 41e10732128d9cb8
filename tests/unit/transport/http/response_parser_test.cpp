#include "transport/http/response_parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailferry::http {
namespace {

using testing::HasSubstr;

ResponseParser::Limits small_limits() {
    ResponseParser::Limits limits;
    limits.head_bytes_max = 200;
    limits.headers_max = 4;
    limits.body_bytes_max = 20;
    limits.informational_max = 2;
    return limits;
}

/// "200{Name=value} body(...) end" or the error, fed `slice` bytes at a time.
std::string steps_of(std::string_view wire, std::size_t slice, bool bodiless) {
    ResponseParser parser(small_limits(), bodiless);
    std::string out, body, unread;
    bool any_body = false;
    auto const finish = [&](std::string const& word) {
        return out + (any_body ? "body(" + body + ") " : "") + word;
    };
    for (;;) {
        std::string_view input = unread;
        auto const step = parser.next(input);
        if (!step) return finish(std::string(to_string(step.error().code)));
        if (auto const* const head = std::get_if<ResponseParser::Head>(&*step)) {
            out += std::to_string(head->head.status) + "{";
            for (auto const& header : head->head.headers)
                out += header.name + "=" + header.value + ";";
            out += "} ";
        } else if (auto const* const piece = std::get_if<ResponseParser::Piece>(&*step)) {
            EXPECT_FALSE(piece->bytes.empty());
            any_body = true;
            body += piece->bytes;
        } else if (auto const* const end = std::get_if<ResponseParser::End>(&*step)) {
            auto const rest = std::string(input) + std::string(wire);
            return finish(end->keep_alive ? "end" : "end-close") +
                   (rest.empty() ? "" : " rest(" + rest + ")");
        }
        unread.erase(0, unread.size() - input.size());
        if (!std::holds_alternative<ResponseParser::NeedMore>(*step)) continue;
        if (unread.size() > 400) return finish("unbounded");
        if (wire.empty()) {
            auto const end = parser.end_of_stream();
            if (!end) return finish(std::string(to_string(end.error().code)));
            return finish(end->keep_alive ? "end" : "end-close");
        }
        auto const count = std::min(slice, wire.size());
        unread += wire.substr(0, count);
        wire.remove_prefix(count);
    }
}

struct ResponseCase {
    std::string_view name;
    std::string wire;
    std::string_view steps;
    bool bodiless = false;
};

std::vector<ResponseCase> const response_cases = {
    {"length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
     "200{Content-Length=5;} body(hello) end"},
    {"no_body", "HTTP/1.1 204 No Content\r\nA: b\r\n\r\n", "204{A=b;} end"},
    {"length_zero", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200{Content-Length=0;} end"},
    {"no_reason", "HTTP/1.1 429 \r\nContent-Length: 0\r\n\r\n", "429{Content-Length=0;} end"},
    {"chunked",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     "3\r\nabc\r\n0a;x=y\r\n0123456789\r\n0\r\nT: u\r\n\r\n",
     "200{Transfer-Encoding=chunked;} body(abc0123456789) end"},
    {"chunked_empty", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "200{Transfer-Encoding=chunked;} end"},
    {"until_close", "HTTP/1.0 200 OK\r\n\r\nhello", "200{} body(hello) end-close"},
    {"until_close_1_1", "HTTP/1.1 200 OK\r\n\r\nhello", "200{} body(hello) end-close"},
    {"old_with_length", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
     "200{Content-Length=2;} body(ok) end-close"},
    {"asks_to_close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
     "200{Connection=close;Content-Length=2;} body(ok) end-close"},
    {"informational",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"
     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
     "200{Content-Length=0;} end"},
    {"head", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "200{Content-Length=9;} end", true},
    {"more_behind", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP",
     "200{Content-Length=1;} body(x) end rest(HTTP)"},
    {"folded", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
     "200{A=b c;Content-Length=0;} end"},

    {"nothing", "", "connection_lost"},
    {"half_a_head", "HTTP/1.1 200 OK\r\nA: b\r\n", "connection_lost"},
    {"truncated", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
     "200{Content-Length=5;} body(hell) connection_lost"},
    {"truncated_chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
     "200{Transfer-Encoding=chunked;} body(hel) connection_lost"},
    {"no_last_chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
     "200{Transfer-Encoding=chunked;} body(ok) connection_lost"},

    {"not_http", "* OK IMAP4rev1 ready\r\n\r\n", "protocol_error"},
    {"other_version", "HTTP/2.0 200 OK\r\n\r\n", "protocol_error"},
    {"length_and_chunked",
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "protocol_error"},
    {"two_lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
     "protocol_error"},
    {"bad_length", "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello", "protocol_error"},
    {"bad_chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n",
     "200{Transfer-Encoding=chunked;} protocol_error"},
    {"switching", "HTTP/1.1 101 Switching\r\n\r\n", "protocol_error"},
    {"informational_flood",
     "HTTP/1.1 100 A\r\n\r\nHTTP/1.1 100 A\r\n\r\nHTTP/1.1 100 A\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
     "protocol_error"},
    {"too_many_headers", "HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\n\r\n",
     "protocol_error"},
    {"head_too_large",
     "HTTP/1.1 200 OK\r\nA: " + std::string(150, 'x') + "\r\nB: " + std::string(150, 'y') +
         "\r\n\r\n",
     "protocol_error"},
    {"header_without_end", "HTTP/1.1 200 OK\r\nA: " + std::string(1'000, 'x'), "protocol_error"},
    {"body_too_large", "HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n", "item_too_large"},
    {"chunk_too_large", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n15\r\nx",
     "200{Transfer-Encoding=chunked;} item_too_large"},
    {"close_too_large", "HTTP/1.0 200 OK\r\n\r\n" + std::string(30, 'x'), "item_too_large"},
};

class ResponseParserTest : public testing::TestWithParam<ResponseCase> {};

// Goal: what a response means doesn't depend on how TCP sliced it. Method: every case is fed in
// every chunk size, one byte at a time included.
TEST_P(ResponseParserTest, SameStepsForEveryChunkSize) {
    auto const& c = GetParam();
    for (std::size_t slice = 1; slice <= std::max<std::size_t>(c.wire.size(), 1); ++slice) {
        SCOPED_TRACE("slice=" + std::to_string(slice));
        auto const steps = steps_of(c.wire, slice, c.bodiless);
        // Before a body proves too large, part of it may have passed.
        if (c.name == "close_too_large")
            ASSERT_THAT(steps, HasSubstr(c.steps));
        else
            ASSERT_EQ(steps, c.steps);
    }
}

INSTANTIATE_TEST_SUITE_P(Http, ResponseParserTest, testing::ValuesIn(response_cases),
                         [](auto const& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace mailferry::http

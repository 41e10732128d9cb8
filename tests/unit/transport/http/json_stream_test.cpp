#include "transport/http/json_stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace mailferry::http {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Prints events as "path=value"; strings at paths that end in /data come in pieces, "path~value".
class Printer final : public JsonHandler {
public:
    bool in_pieces(JsonPath path) override { return path.ends_with("/data"); }
    Result<void> string_piece(JsonPath path, std::string_view piece, bool last) override {
        pieces_ += piece;
        piece_max = std::max(piece_max, piece.size());
        if (!last) return {};
        return say(std::string(path) + "~" + std::exchange(pieces_, {}));
    }
    Result<void> text(JsonPath path, std::string_view value) override {
        return say(std::string(path) + "='" + std::string(value) + "'");
    }
    Result<void> integer(JsonPath path, std::int64_t value) override {
        return say(std::string(path) + "=" + std::to_string(value));
    }
    Result<void> real(JsonPath path, double value) override {
        return say(std::string(path) + "=" + std::to_string(value));
    }
    Result<void> boolean(JsonPath path, bool value) override {
        return say(std::string(path) + (value ? "=true" : "=false"));
    }
    Result<void> null(JsonPath path) override { return say(std::string(path) + "=null"); }
    Result<void> object_begin(JsonPath path) override { return say(std::string(path) + "{"); }
    Result<void> object_end(JsonPath path) override { return say(std::string(path) + "}"); }
    Result<void> array_begin(JsonPath path) override { return say(std::string(path) + "["); }
    Result<void> array_end(JsonPath path) override { return say(std::string(path) + "]"); }

    std::string out;
    std::size_t piece_max = 0;
    std::string refuses;  ///< An event that the handler fails on.

private:
    Result<void> say(std::string const& event) {
        if (!refuses.empty() && event == refuses) return Error{Errc::item_damaged, "no thanks"};
        out += event + " ";
        return {};
    }
    std::string pieces_;
};

JsonLimits small_limits() {
    JsonLimits limits;
    limits.depth_max = 4;
    limits.key_bytes_max = 12;
    limits.text_bytes_max = 20;
    limits.total_bytes_max = 300;
    return limits;
}

std::string events_of(std::string_view json, std::size_t slice, std::string refuses = {}) {
    Printer printer;
    printer.refuses = std::move(refuses);
    JsonStream stream(printer, small_limits());
    Result<void> result;
    for (; result && !json.empty(); json.remove_prefix(std::min(slice, json.size())))
        result = stream.write(json.substr(0, slice));
    if (result) result = stream.finish();
    if (result) return printer.out;
    EXPECT_EQ(stream.write(" ").error().code, result.error().code) << "an error stays";
    return printer.out + std::string(to_string(result.error().code));
}

struct JsonCase {
    std::string_view name;
    std::string json;
    std::string_view events;
};

std::vector<JsonCase> const json_cases = {
    {"scalars", R"({"a":1,"b":-2.5,"c":true,"d":false,"e":null,"f":"x"})",
     "{ /a=1 /b=-2.500000 /c=true /d=false /e=null /f='x' } "},
    {"nested", R"({"v":[{"id":"1"},{"id":"2"}],"n":[]})",
     "{ /v[ /v/#{ /v/#/id='1' /v/#} /v/#{ /v/#/id='2' /v/#} /v] /n[ /n] } "},
    {"arrays", R"([1,[2,[]],3])", "[ /#=1 /#[ /#/#=2 /#/#[ /#/#] /#] /#=3 ] "},
    {"document_is_text", R"("x")", "='x' "},
    {"empty_text", R"({"a":"","data":""})", "{ /a='' /data~ } "},
    {"pieces", R"({"data":"aGVsbG8gd29ybGQsIHRoaXMgaXMgYSBsb25nIG9uZQ==","z":1})",
     "{ /data~aGVsbG8gd29ybGQsIHRoaXMgaXMgYSBsb25nIG9uZQ== /z=1 } "},
    {"pieces_with_escapes", R"({"data":"a\/b\u0041\n=\ud83d\ude00"})",
     "{ /data~a/bA\n=\xf0\x9f\x98\x80 } "},
    {"escapes", R"({"a":"q\"\\\u00e4"})", "{ /a='q\"\\\xc3\xa4' } "},
    {"keys_cannot_pose", R"({"v/#/data":"x","#":1,"~":2,"a\u0062":3})",
     "{ /v~1~2~1data='x' /~2=1 /~0=2 /ab=3 } "},
    {"big_integers", R"([9223372036854775807,18446744073709551615,-9223372036854775808])",
     "[ /#=9223372036854775807 /#=18446744073709551616.000000 /#=-9223372036854775808 ] "},
    {"white_space", " \r\n{ \"a\" : [ 1 , 2 ] }\n\t ", "{ /a[ /a/#=1 /a/#=2 /a] } "},
    {"deepest", "[[[[1]]]]", "[ /#[ /#/#[ /#/#/#[ /#/#/#/#=1 /#/#/#] /#/#] /#] ] "},

    {"too_deep", "[[[[[1]]]]]", "[ /#[ /#/#[ /#/#/#[ protocol_error"},
    {"key_too_long", R"({"abcdefghijklm":1})", "{ protocol_error"},
    {"text_too_long", R"({"a":"012345678901234567890"})", "{ protocol_error"},
    {"too_large", "[" + std::string(400, ' ') + "]", "[ protocol_error"},
    {"nothing", "", "protocol_error"},
    {"white_space_only", " \n", "protocol_error"},
    {"open_object", R"({"a":1)", "{ /a=1 protocol_error"},
    {"open_string", R"({"a":"x)", "{ protocol_error"},
    {"two_documents", "{} {}", "{ } protocol_error"},
    {"html", "<html>", "protocol_error"},
    {"comma", "[1,]", "[ /#=1 protocol_error"},
    {"control_character", "[\"a\nb\"]", "[ protocol_error"},
    {"not_utf8", "[\"\xff\"]", "[ protocol_error"},
    {"lone_surrogate", R"(["\ud800"])", "[ protocol_error"},
    {"comment", "[1/**/]", "[ /#=1 protocol_error"},
};

class JsonStreamTest : public testing::TestWithParam<JsonCase> {};

// Goal: the events don't depend on how the bytes came. Method: every case in every chunk size.
TEST_P(JsonStreamTest, SameEventsForEveryChunkSize) {
    auto const& c = GetParam();
    for (std::size_t slice = 1; slice <= std::max<std::size_t>(c.json.size(), 1); ++slice) {
        SCOPED_TRACE("slice=" + std::to_string(slice));
        // A document over the limit on its whole may be refused before its first event.
        if (c.name == "too_large")
            ASSERT_THAT(events_of(c.json, slice), HasSubstr("protocol_error"));
        else
            ASSERT_EQ(events_of(c.json, slice), c.events);
    }
}

INSTANTIATE_TEST_SUITE_P(Http, JsonStreamTest, testing::ValuesIn(json_cases),
                         [](auto const& one) { return std::string(one.param.name); });

TEST(JsonStreamFailureTest, TheHandlersErrorIsTheAnswer) {
    for (std::size_t slice = 1; slice < 20; ++slice) {
        EXPECT_EQ(events_of(R"({"a":1,"b":"x","c":2})", slice, "/b='x'"), "{ /a=1 item_damaged");
        EXPECT_EQ(events_of(R"({"a":{},"c":2})", slice, "/a}"), "{ /a{ item_damaged");
    }
}

TEST(JsonStreamFailureTest, NoByteOfTheInputIsInAnError) {
    Printer printer;
    JsonStream stream(printer);
    auto const result = stream.write(R"({"access_token": secret)");
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().describe(), Not(HasSubstr("secret")));
    EXPECT_THAT(result.error().describe(), HasSubstr("byte"));
}

TEST(JsonStreamMemoryTest, ALongStringPassesInSmallPieces) {
    JsonLimits limits;
    limits.total_bytes_max = UINT64_MAX;
    Printer printer;
    JsonStream stream(printer, limits);
    auto const piece = std::string(10'000, 'A');
    ASSERT_TRUE(stream.write(R"({"data":")"));
    for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(stream.write(piece));
    ASSERT_TRUE(stream.write("\"}"));
    ASSERT_TRUE(stream.finish());
    EXPECT_EQ(printer.out.size(), 10'000'000u + std::string_view("{ /data~ } ").size());
    EXPECT_LE(printer.piece_max, piece.size());
}

}  // namespace
}  // namespace mailferry::http

#include "transport/http/json_sink.hpp"

#include "tests/unit/transport/http/fake_origin.hpp"
#include "tests/unit/transport/http/gzip.hpp"
#include "transport/http/base64.hpp"

#include <gmock/gmock.h>

namespace mailferry::http {
namespace {

using test::ok;

/// Collects texts, and what is decoded of `data` between two drains.
class Reader final : public DrainedHandler {
public:
    bool in_pieces(JsonPath path) override { return path == "/data"; }
    Result<void> string_piece(JsonPath, std::string_view piece, bool last) override {
        if (!decoder_.write(piece, gathered_)) return Error{Errc::item_damaged, "base64"};
        if (last && !decoder_.finish()) return Error{Errc::item_damaged, "base64"};
        return {};
    }
    Result<void> text(JsonPath path, std::string_view value) override {
        texts += std::string(path) + "=" + std::string(value) + " ";
        return {};
    }
    awaitable<Result<void>> drain() override {
        gathered_max = std::max(gathered_max, gathered_.size());
        data.append(reinterpret_cast<char const*>(gathered_.data()), gathered_.size());
        gathered_.clear();
        ++drains;
        if (fails) co_return Error{Errc::disk_full, "no room"};
        co_return Result<void>{};
    }

    std::string texts, data;
    std::size_t gathered_max = 0;
    int drains = 0;
    bool fails = false;

private:
    Base64Decoder decoder_;
    std::vector<std::byte> gathered_;
};

class JsonSinkTest : public test::ClientFixture {
protected:
    /// "ok" or the error, after `answer`.
    std::string outcome(std::string answer) {
        origin.lines.push_back({{{std::move(answer), true}}});
        std::string text;
        run([&]() -> awaitable<void> {
            auto const head = co_await client().send(get(), sink);
            text = head ? std::to_string(head->status) : std::string(to_string(head.error().code));
        });
        return text;
    }
    Reader good, bad;
    JsonSink sink{good, bad};
};

TEST_F(JsonSinkTest, AGoodAnswerGoesToTheGoodReader) {
    EXPECT_EQ(outcome(ok(R"({"id":"1","data":"Zm9v"})")), "200");
    EXPECT_EQ(good.texts, "/id=1 ");
    EXPECT_EQ(good.data, "foo");
    EXPECT_EQ(bad.texts, "");
}

TEST_F(JsonSinkTest, ARefusalGoesToTheOther) {
    EXPECT_EQ(outcome("HTTP/1.1 404 Gone\r\nContent-Type: Application/JSON; charset=utf-8\r\n"
                      "Content-Length: 12\r\n\r\n{\"code\":\"x\"}"),
              "404");
    EXPECT_EQ(good.texts, "");
    EXPECT_EQ(bad.texts, "/code=x ");
    EXPECT_EQ(good.drains, 0);
}

TEST_F(JsonSinkTest, AnHtmlPageIsSkippedWithARefusalOnly) {
    auto const page = std::string(2'000, 'x');
    EXPECT_EQ(outcome("HTTP/1.1 502 Bad\r\nContent-Type: text/html\r\n\r\n" + page), "502");
    EXPECT_EQ(sink.excerpt(), page.substr(0, 512));
}

TEST_F(JsonSinkTest, AnHtmlPageIsNoGoodAnswer) {
    EXPECT_EQ(outcome("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"),
              "protocol_error");
}

TEST_F(JsonSinkTest, NoContentIsFine) {
    EXPECT_EQ(outcome("HTTP/1.1 204 No Content\r\n\r\n"), "204");
}

TEST_F(JsonSinkTest, JsonThatEndsTooEarlyIsAnError) {
    EXPECT_EQ(outcome(ok(R"({"id":"1")")), "protocol_error");
}

TEST_F(JsonSinkTest, TheReadersErrorIsTheAnswer) {
    good.fails = true;
    EXPECT_EQ(outcome(ok("{}")), "disk_full");
}

TEST_F(JsonSinkTest, ALongItemPassesInSmallPieces) {
    std::string item;
    for (unsigned i = 0; item.size() < 3'000'000; ++i) item += std::to_string(i * 7'919);
    Base64Encoder encoder;
    std::string text = "{\"data\":\"";
    encoder.write(std::as_bytes(std::span(item.data(), item.size())), text);
    encoder.finish(text);
    text += "\"}";
    EXPECT_EQ(outcome("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                      "Content-Encoding: gzip\r\n\r\n" +
                      test::gzip(text)),
              "200");
    EXPECT_TRUE(good.data == item);
    EXPECT_LE(good.gathered_max, json_slice_bytes);
}

}  // namespace
}  // namespace mailferry::http

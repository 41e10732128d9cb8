#include "transport/http/item_body.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace mailferry::http {
namespace {

void run(std::function<awaitable<void>()> body) {
    asio::io_context context;
    asio::co_spawn(context, body(), [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
    });
    context.run();
}

class PiecesReader final : public transport::ItemReader {
public:
    PiecesReader(std::string bytes, std::size_t piece, std::uint64_t said_size)
        : bytes_(std::move(bytes)), piece_(piece), said_size_(said_size) {}
    std::uint64_t size() const override { return said_size_; }
    awaitable<Result<std::span<std::byte const>>> next() override {
        auto const piece = std::string_view(bytes_).substr(at_, piece_);
        at_ += piece.size();
        co_return std::as_bytes(std::span(piece.data(), piece.size()));
    }
    void rewind() override { at_ = 0; }

private:
    std::string bytes_;
    std::size_t piece_;
    std::uint64_t said_size_;
    std::size_t at_ = 0;
};

std::shared_ptr<PiecesReader> reader(std::string bytes, std::size_t piece) {
    auto const size = bytes.size();
    return std::make_shared<PiecesReader>(std::move(bytes), piece, size);
}

/// All pieces in a row, or the error's code.
awaitable<std::string> read(BodySource& body) {
    std::string text;
    for (;;) {
        auto const piece = co_await body.next();
        if (!piece) co_return std::string(to_string(piece.error().code));
        if (piece->empty()) co_return text;
        text.append(reinterpret_cast<char const*>(piece->data()), piece->size());
    }
}

TEST(ItemBodyTest, PrefixBase64SuffixWithItsExactSize) {
    run([]() -> awaitable<void> {
        for (std::size_t const piece : {1u, 2u, 3u, 4u, 100u}) {
            ItemBody body("{\"Data\":\"", reader("foobar!", piece), "\"}");
            auto const text = co_await read(body);
            EXPECT_EQ(text, "{\"Data\":\"Zm9vYmFyIQ==\"}");
            EXPECT_EQ(body.size(), text.size());
            body.rewind();
            EXPECT_EQ(co_await read(body), text);
        }
        ItemBody empty("", reader("", 1), "x");
        EXPECT_EQ(co_await read(empty), "x");
    });
}

TEST(ItemBodyTest, OnePieceInMemoryWhateverTheReaderGives) {
    run([]() -> awaitable<void> {
        ItemBody body("{", reader(std::string(1 << 20, 'x'), 1 << 20), "}");
        std::uint64_t size = 0;
        for (;;) {
            auto const piece = co_await body.next();
            if (!piece || piece->empty()) break;
            EXPECT_LE(piece->size(), 64u * 1'024);
            size += piece->size();
        }
        EXPECT_EQ(size, body.size());
    });
}

TEST(ItemBodyTest, TheLastPieceWaitsForTheIntent) {
    run([]() -> awaitable<void> {
        int asked = 0;
        bool allow = true;
        auto const before_commit = [&]() -> awaitable<Result<void>> {
            ++asked;
            if (!allow) co_return Error{Errc::disk_full, "no intent"};
            co_return Result<void>{};
        };
        ItemBody body("{", reader("abc", 10), "}", before_commit);
        static_cast<void>(co_await body.next());
        static_cast<void>(co_await body.next());
        EXPECT_EQ(asked, 0);
        static_cast<void>(co_await body.next());
        EXPECT_EQ(asked, 1);
        allow = false;
        body.rewind();
        EXPECT_EQ(co_await read(body), "disk_full");
        EXPECT_EQ(asked, 2);
    });
}

TEST(ItemBodyTest, AnItemOfAnotherSizeIsNeverSentWhole) {
    run([]() -> awaitable<void> {
        ItemBody shorter("{", std::make_shared<PiecesReader>("abc", 2, 4), "}");
        EXPECT_EQ(co_await read(shorter), "corrupt");
        ItemBody longer("{", std::make_shared<PiecesReader>("abcde", 2, 4), "}");
        EXPECT_EQ(co_await read(longer), "corrupt");
    });
}

TEST(JsonQuotedTest, EscapesWhatJsonWantsEscaped) {
    EXPECT_EQ(json_quoted("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\n\\u0001\"");
    EXPECT_EQ(json_quoted("AAMk+/=_-\xc3\xa4"), "\"AAMk+/=_-\xc3\xa4\"");
}

}  // namespace
}  // namespace mailferry::http

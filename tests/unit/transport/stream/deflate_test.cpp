#include "transport/stream/deflate.hpp"

#include <gtest/gtest.h>

#include <string>

namespace mailferry::transport {
namespace {

/// What is written can be read again, `piece` bytes at a time.
class LoopStream final : public Stream {
public:
    explicit LoopStream(std::string& pipe, std::size_t piece) : pipe_(pipe), piece_(piece) {}

    awaitable<Result<std::size_t>> read_some(std::span<std::byte> buffer) override {
        auto const count = std::min({buffer.size(), pipe_.size(), piece_});
        auto const bytes = bytes_of(pipe_).first(count);
        std::copy(bytes.begin(), bytes.end(), buffer.begin());
        pipe_.erase(0, count);
        co_return count;
    }
    awaitable<Result<void>> write_all(std::span<std::byte const> bytes) override {
        pipe_.append(reinterpret_cast<char const*>(bytes.data()), bytes.size());
        co_return Result<void>{};
    }
    awaitable<Result<void>> start_tls() override { co_return Result<void>{}; }
    void watch_idle(bool) override {}
    void cut() override {}
    std::chrono::steady_clock::time_point last_activity() const override { return {}; }

private:
    std::string& pipe_;
    std::size_t piece_;
};

void run(std::function<awaitable<void>()> body) {
    asio::io_context context;
    asio::co_spawn(context, body(), [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
    });
    context.run();
}

std::string text_of_size(std::size_t size) {
    std::string text;
    while (text.size() < size) text += "line " + std::to_string(text.size() * 7'919) + "\r\n";
    text.resize(size);
    return text;
}

TEST(DeflateTest, WhatGoesInComesOutWhateverTheSlicing) {
    for (std::size_t const size : {1u, 100u, 100'000u}) {
        for (std::size_t const piece : {1u, 3u, 65'536u}) {
            SCOPED_TRACE(std::to_string(size) + "/" + std::to_string(piece));
            std::string pipe;
            auto const text = text_of_size(size);
            std::string back;
            run([&]() -> awaitable<void> {
                DeflateStream stream(std::make_unique<LoopStream>(pipe, piece), "");
                auto const half = bytes_of(text).first(size / 2);
                EXPECT_TRUE((co_await stream.write_all(half)).has_value());
                EXPECT_TRUE(
                    (co_await stream.write_all(bytes_of(text).subspan(size / 2))).has_value());
                EXPECT_LT(pipe.size(), size / 2 + 100);
                std::array<std::byte, 1'000> buffer;
                while (back.size() < size) {
                    auto const count = co_await stream.read_some(buffer);
                    if (!count || *count == 0) break;
                    back.append(reinterpret_cast<char const*>(buffer.data()), *count);
                }
            });
            EXPECT_TRUE(back == text);
        }
    }
}

TEST(DeflateTest, BytesThatCameWithTheOkAreTheFirstOnes) {
    std::string pipe;
    std::string back;
    run([&]() -> awaitable<void> {
        DeflateStream writer(std::make_unique<LoopStream>(pipe, 100), "");
        static_cast<void>(co_await writer.write_all(bytes_of("hello")));
        auto const early = pipe.substr(0, 4);
        pipe.erase(0, 4);
        DeflateStream reader(std::make_unique<LoopStream>(pipe, 100), early);
        std::array<std::byte, 100> buffer;
        while (back.size() < 5) {
            auto const count = co_await reader.read_some(buffer);
            if (!count || *count == 0) break;
            back.append(reinterpret_cast<char const*>(buffer.data()), *count);
        }
    });
    EXPECT_EQ(back, "hello");
}

TEST(DeflateTest, DamageIsAProtocolError) {
    std::string pipe("\xff\xff\xff\xff", 4);
    run([&]() -> awaitable<void> {
        DeflateStream stream(std::make_unique<LoopStream>(pipe, 100), "");
        std::array<std::byte, 100> buffer;
        auto const read = co_await stream.read_some(buffer);
        EXPECT_EQ(read.error().code, Errc::protocol_error);
    });
}

}  // namespace
}  // namespace mailferry::transport

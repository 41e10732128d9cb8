#include "transport/http/gunzip.hpp"

#include "tests/unit/transport/http/gzip.hpp"

#include <gtest/gtest.h>

namespace mailferry::http {
namespace {

using test::gzip;

/// What comes out, or the error's code; "unfinished" if more was to come.
std::string unpacked(std::string_view packed, std::size_t slice) {
    Gunzip gunzip;
    std::string out;
    for (; !packed.empty(); packed.remove_prefix(std::min(slice, packed.size()))) {
        auto const piece = packed.substr(0, slice);
        gunzip.write(std::as_bytes(std::span(piece.data(), piece.size())));
        for (;;) {
            auto const next = gunzip.next();
            if (!next) return std::string(to_string(next.error().code));
            if (!*next) break;
            out.append(reinterpret_cast<char const*>((*next)->data()), (*next)->size());
        }
    }
    return gunzip.complete() ? out : "unfinished";
}

TEST(GunzipTest, EverySlicing) {
    std::string text;
    for (int i = 0; i < 300; ++i) text += "line " + std::to_string(i * 7'919) + "\n";
    auto const packed = gzip(text);
    for (std::size_t slice = 1; slice <= packed.size(); ++slice)
        ASSERT_EQ(unpacked(packed, slice), text) << slice;
}

TEST(GunzipTest, SeveralMembers) {
    auto const packed = gzip("one,") + gzip("") + gzip("two");
    for (std::size_t const slice : {1u, 2u, 1'000u}) EXPECT_EQ(unpacked(packed, slice), "one,two");
}

TEST(GunzipTest, NothingAtAllIsAWholeBody) { EXPECT_EQ(unpacked("", 1), ""); }

TEST(GunzipTest, EveryTruncationIsSeen) {
    auto const packed = gzip("hello hello hello");
    for (std::size_t size = 1; size < packed.size(); ++size)
        EXPECT_EQ(unpacked(packed.substr(0, size), 1'000), "unfinished") << size;
}

TEST(GunzipTest, DamageIsSeen) {
    auto packed = gzip("hello hello hello");
    packed[packed.size() - 6] ^= 1;  // Within the checksum.
    EXPECT_EQ(unpacked(packed, 1'000), "protocol_error");
    EXPECT_EQ(unpacked("not gzip", 1'000), "protocol_error");
    EXPECT_EQ(unpacked(gzip("x") + "rubbish", 1'000), "protocol_error");
}

TEST(GunzipTest, ABombIsDefused) {
    auto const packed = gzip(std::string(50 << 20, '\0'));
    ASSERT_LT(packed.size(), 100'000u);
    EXPECT_EQ(unpacked(packed, 16'384), "protocol_error");
}

TEST(GunzipTest, WhatPacksWellWithinReasonPasses) {
    auto const text = std::string(900'000, 'a');
    EXPECT_EQ(unpacked(gzip(text), 100), text);
}

}  // namespace
}  // namespace mailferry::http

#include "transport/graph/export_reader.hpp"
#include "receiver.hpp"
#include "transport/auth/sasl.hpp"

#include <gmock/gmock.h>

namespace mailferry::graph {
namespace {

using Outcome = ExportReader::Outcome;

/// Feeds as the sink does: drained after each piece.
Result<void> read(ExportReader& reader, std::string_view text, std::size_t piece_bytes) {
    asio::io_context io;
    Result<void> result;
    asio::co_spawn(
        io,
        [&]() -> awaitable<void> {
            http::JsonStream stream(reader);
            for (std::size_t at = 0; at < text.size() && result; at += piece_bytes) {
                result = stream.write(text.substr(at, piece_bytes));
                if (result) result = co_await reader.drain();
            }
            if (result) result = stream.finish();
            if (result) result = co_await reader.drain();
        },
        asio::detached);
    io.run();
    return result;
}

std::vector<ExportReader::Wanted> wanted(std::vector<transport::ItemRef> refs) {
    std::vector<ExportReader::Wanted> made;
    for (auto& ref : refs) made.push_back({std::move(ref), 1});
    return made;
}

Outcome outcome(ExportReader const& reader, std::string_view name) {
    return reader.items().find(name)->second.outcome;
}

TEST(ExportReader, ReadsAMixedAnswerInPiecesOfEverySize) {
    std::string const sample =
        R"json({
 "@odata.context": "x",
 "value": [
  {
   "itemId": "AAMkITEM1AAA=",
   "changeKey": "CQAAABYAAAA1",
   "data": "AQAAAAgAAAAAAAAAAQ=="
  },
  {
   "data": "AQID",
   "itemId": "AAMkITEM3AAA="
  },
  {
   "itemId": "AAMkITEM2AAA=",
   "error": {
    "code": "ErrorItemNotFound",
    "message": "The specified object was not found in the store."
   }
  },
  {
   "itemId": "other",
   "data": "AQID"
  }
 ]
})json";
    for (std::size_t size = 1; size <= sample.size(); ++size) {
        KeepingReceiver receiver;
        ExportReader reader(wanted({ref_to("AAMkITEM1AAA=", 1, 10), ref_to("AAMkITEM2AAA=", 2, 10),
                                    ref_to("AAMkITEM3AAA=", 3, 10), ref_to("missing", 4, 10)}),
                            receiver);
        ASSERT_TRUE(read(reader, sample, size)) << size;
        ASSERT_EQ(receiver.items.size(), 2u);
        auto const& first = receiver.items["AAMkITEM1AAA="];
        EXPECT_EQ(first.bytes, std::string("\1\0\0\0\10\0\0\0\0\0\0\0\1", 13));
        EXPECT_EQ(first.bytes_max, 13u);
        EXPECT_EQ(first.meta.size, 13u);
        EXPECT_EQ(first.meta.number, 1u);
        EXPECT_EQ(first.meta.version, "CQAAABYAAAA1");
        EXPECT_EQ(first.meta.identity, "identity of AAMkITEM1AAA=");
        EXPECT_EQ(receiver.items["AAMkITEM3AAA="].bytes, "\1\2\3");
        EXPECT_EQ(receiver.items["AAMkITEM3AAA="].meta.version, "listed");
        EXPECT_EQ(outcome(reader, "AAMkITEM1AAA="), Outcome::delivered);
        EXPECT_EQ(outcome(reader, "AAMkITEM2AAA="), Outcome::refused);
        EXPECT_EQ(reader.items().find("AAMkITEM2AAA=")->second.refusal.code, "ErrorItemNotFound");
        EXPECT_EQ(outcome(reader, "missing"), Outcome::open);
    }
}

std::string answer(std::string const& name, std::string const& data, bool data_first) {
    auto const id = "\"itemId\":\"" + name + "\"";
    auto const text = "\"data\":\"" + data + "\"";
    return "{\"value\":[{" + (data_first ? text + "," + id : id + "," + text) + "}]}";
}

TEST(ExportReader, LargeItemsGoThroughInPieces) {
    std::string const bytes(5 << 20, 'x');
    auto const data = transport::base64_encode(bytes);
    KeepingReceiver receiver;
    ExportReader reader(wanted({ref_to("a", 1, 5 << 20), ref_to("b", 2, 10)}), receiver);
    ASSERT_TRUE(read(reader, answer("a", data, false), 16 * 1024));
    EXPECT_EQ(receiver.items["a"].bytes, bytes);
    EXPECT_EQ(receiver.items["a"].bytes_max, stream_bytes_max(5 << 20, 1));
    EXPECT_EQ(receiver.items["a"].meta.size, bytes.size());
    EXPECT_LE(receiver.largest_piece, 16u * 1024);
}

TEST(ExportReader, DataBeforeItsNameIsGatheredUpToABound) {
    std::string const bytes(3 << 20, 'x');
    auto const data = transport::base64_encode(bytes);
    KeepingReceiver receiver;
    ExportReader among(wanted({ref_to("a", 1, 3 << 20), ref_to("b", 2, 10)}), receiver);
    ASSERT_TRUE(read(among, answer("a", data, true), 10'000));
    EXPECT_EQ(outcome(among, "a"), Outcome::too_large_to_gather);
    EXPECT_EQ(receiver.begun, 0);
    // Alone there is no doubt whose it is.
    ExportReader alone(wanted({ref_to("a", 1, 3 << 20)}), receiver);
    ASSERT_TRUE(read(alone, answer("a", data, true), 10'000));
    EXPECT_EQ(outcome(alone, "a"), Outcome::delivered);
    EXPECT_EQ(receiver.items["a"].bytes, bytes);
}

TEST(ExportReader, WhatOutgrowsItsBoundIsVoid) {
    std::string const bytes(3 << 20, 'x');
    auto const data = transport::base64_encode(bytes);
    KeepingReceiver receiver;
    ExportReader reader(wanted({ref_to("a", 1, 1 << 20)}), receiver);
    ASSERT_TRUE(read(reader, answer("a", data, false), 10'000));
    EXPECT_EQ(outcome(reader, "a"), Outcome::outgrown);
    EXPECT_TRUE(receiver.items.empty());
    ExportReader::Wanted again{ref_to("a", 1, 1 << 20), 2};
    std::vector<ExportReader::Wanted> list;
    list.push_back(std::move(again));
    ExportReader wider(std::move(list), receiver);
    std::string const less(2 << 20, 'x');
    ASSERT_TRUE(read(wider, answer("a", transport::base64_encode(less), false), 10'000));
    EXPECT_EQ(outcome(wider, "a"), Outcome::delivered);
}

TEST(ExportReader, DamageIsTheItemsOwn) {
    for (std::string_view const text :
         {R"({"value":[{"itemId":"a","data":"AQ*D"},{"itemId":"b","data":"AQID"}]})",
          R"({"value":[{"itemId":"a","data":"AQI"},{"itemId":"b","data":"AQID"}]})",
          R"({"value":[{"itemId":"a"},{"itemId":"b","data":"AQID"}]})",
          R"({"value":[{"itemId":"a","data":null},{"itemId":"b","data":"AQID"}]})"}) {
        KeepingReceiver receiver;
        ExportReader reader(wanted({ref_to("a", 1, 10), ref_to("b", 2, 10)}), receiver);
        ASSERT_TRUE(read(reader, text, 5)) << text;
        EXPECT_EQ(outcome(reader, "a"), Outcome::refused) << text;
        EXPECT_EQ(outcome(reader, "b"), Outcome::delivered) << text;
    }
}

TEST(ExportReader, AnItemIsDeliveredOnce) {
    KeepingReceiver receiver;
    ExportReader reader(wanted({ref_to("a", 1, 10)}), receiver);
    ASSERT_TRUE(read(
        reader, R"({"value":[{"itemId":"a","data":"AQID"},{"itemId":"a","data":"AQID"}]})", 1));
    EXPECT_EQ(receiver.begun, 1);
    EXPECT_EQ(outcome(reader, "a"), Outcome::delivered);
}

TEST(ExportReader, TheReceiversErrorEndsIt) {
    KeepingReceiver receiver;
    receiver.refuse_begin = Error{Errc::disk_full, "no room"};
    ExportReader reader(wanted({ref_to("a", 1, 10)}), receiver);
    auto const result = read(reader, R"({"value":[{"itemId":"a","data":"AQID"}]})", 7);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::disk_full);
    EXPECT_TRUE(reader.receiver_error());
}

}  // namespace
}  // namespace mailferry::graph

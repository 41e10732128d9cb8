#include "transport/graph/resources.hpp"
#include "json_feed.hpp"
#include "transport/graph/import_session.hpp"
#include "transport/graph/properties.hpp"

#include <gtest/gtest.h>

namespace mailferry::graph {
namespace {

constexpr std::string_view folders_page = R"json({
 "@odata.context": "https://graph.example/v1.0/$metadata#x",
 "value": [
  {
   "@odata.type": "#microsoft.graph.mailboxFolder",
   "id": "AAMkINBOX-_aAA=",
   "displayName": "Inbox",
   "parentFolderId": "AAMkROOT==",
   "childFolderCount": 2,
   "totalItemCount": 5,
   "wellKnownName": "inbox",
   "type": "IPF.Note"
  },
  {
   "@odata.type": "#microsoft.graph.mailboxFolder",
   "id": "AAMkCALEN-_bAA=",
   "displayName": "Calendar",
   "parentFolderId": "AAMkROOT==",
   "childFolderCount": 0,
   "totalItemCount": 1,
   "wellKnownName": null,
   "type": "IPF.Appointment",
   "singleValueExtendedProperties": [
    {
     "id": "Integer 0x3601",
     "value": "2"
    },
    {
     "id": "Boolean 0x10f4",
     "value": "true"
    }
   ]
  },
  {
   "id": "AAMkOLD=",
   "displayName": "Old",
   "type": null,
   "parentMailboxUrl": "https://graph.example/x"
  }
 ],
 "@odata.nextLink": "https://graph.example/v1.0/admin/exchange/mailboxes/MBX/folders?%24skip=10"
})json";

constexpr std::string_view item_text = R"json({
 "@odata.type": "#microsoft.graph.mailboxItem",
 "@odata.etag": "W/\"CQAAABYAAAA1\"",
 "id": "AAMkITEM1AAA=",
 "changeKey": "CQAAABYAAAA1",
 "categories": [
  "Red category"
 ],
 "type": "IPM.Note",
 "size": 71133,
 "createdDateTime": "2026-01-05T08:30:01Z",
 "lastModifiedDateTime": "2026-01-05T08:30:05Z",
 "singleValueExtendedProperties": [
  {
   "id": "SystemTime 0xe06",
   "value": "2026-01-05T08:30:00Z"
  },
  {
   "id": "String 0x1035",
   "value": "<m1@source.example>"
  }
 ]
})json";

constexpr std::string_view delta_page = R"json({
 "@odata.context": "https://graph.example/v1.0/$metadata#Collection(mailboxItem)",
 "@odata.nextLink": "https://graph.example/v1.0/items/delta?$skiptoken=opaque1",
 "value": [
  {
   "@odata.type": "#microsoft.graph.mailboxItem",
   "id": "AAMkITEM1AAA=",
   "createdDateTime": "2026-01-05T08:30:01Z",
   "changeKey": "CQAAABYAAAA1",
   "categories": [],
   "type": "IPM.Note",
   "size": 71133
  },
  {"id": "AAMkITEM9AAA=", "@removed": {"reason": "deleted"}}
 ]
})json";

TEST(FolderPage, ReadsFoldersInPiecesOfEverySize) {
    for (std::size_t size = 1; size <= folders_page.size(); ++size) {
        FolderPage page(PageHandler::Shape::page);
        ASSERT_TRUE(feed(page, folders_page, size)) << size;
        ASSERT_EQ(page.folders.size(), 3u);
        EXPECT_EQ(page.next_link,
                  "https://graph.example/v1.0/admin/exchange/mailboxes/MBX/folders?%24skip=10");
        auto const& inbox = page.folders[0];
        EXPECT_EQ(inbox.id, "AAMkINBOX-_aAA=");
        EXPECT_EQ(inbox.name, "Inbox");
        EXPECT_EQ(inbox.parent_id, "AAMkROOT==");
        EXPECT_EQ(inbox.child_folders, 2u);
        EXPECT_EQ(inbox.items, 5u);
        EXPECT_EQ(inbox.well_known, "inbox");
        EXPECT_FALSE(inbox.search_folder);
        auto const& calendar = page.folders[1];
        EXPECT_EQ(calendar.type, "IPF.Appointment");
        EXPECT_EQ(calendar.well_known, "");
        EXPECT_TRUE(calendar.search_folder);
        EXPECT_TRUE(calendar.hidden);
        EXPECT_EQ(page.folders[2].type, "");
        EXPECT_EQ(page.folders[2].well_known, std::nullopt);
    }
}

TEST(ItemPage, ReadsOneItemInPiecesOfEverySize) {
    for (std::size_t size = 1; size <= item_text.size(); ++size) {
        ItemPage single(PageHandler::Shape::single);
        ASSERT_TRUE(feed(single, item_text, size)) << size;
        ASSERT_EQ(single.items.size(), 1u);
        auto const& item = single.items[0];
        EXPECT_EQ(item.id, "AAMkITEM1AAA=");
        EXPECT_EQ(item.change_key, "CQAAABYAAAA1");
        EXPECT_EQ(item.type, "IPM.Note");
        EXPECT_EQ(item.size, 71133u);
        EXPECT_EQ(item.created, 1767601801);
        EXPECT_EQ(item.received, 1767601800);
        EXPECT_EQ(item.message_id, "<m1@source.example>");
    }
}

TEST(ItemPage, ReadsAPageOfChangesInPiecesOfEverySize) {
    for (std::size_t size = 1; size <= delta_page.size(); ++size) {
        ItemPage page(PageHandler::Shape::page);
        ASSERT_TRUE(feed(page, delta_page, size)) << size;
        ASSERT_EQ(page.items.size(), 2u);
        EXPECT_FALSE(page.items[0].removed);
        EXPECT_TRUE(page.items[1].removed);
        EXPECT_EQ(page.next_link, "https://graph.example/v1.0/items/delta?$skiptoken=opaque1");
        EXPECT_EQ(page.delta_link, "");
    }
}

TEST(ItemPage, TakesNothingFromAnswersOfAnotherShape) {
    for (std::string_view const odd :
         {R"({"value":[["x",{"id":"y"}],1,null,"id"]})", R"([{"id":"x"}])", R"("x")",
          R"({"value":{"id":"x"}})", R"({"value":[{"name":"without an id"}]})", R"({})"}) {
        ItemPage page(PageHandler::Shape::page);
        EXPECT_TRUE(feed(page, odd, 3)) << odd;
        EXPECT_TRUE(page.items.empty()) << odd;
    }
}

TEST(ItemPage, IsEmptyAfterReset) {
    ItemPage page(PageHandler::Shape::page);
    ASSERT_TRUE(feed(page, delta_page, 7));
    page.reset();
    EXPECT_TRUE(page.items.empty());
    EXPECT_EQ(page.next_link, "");
    ASSERT_TRUE(feed(page, delta_page, 7));
    EXPECT_EQ(page.items.size(), 2u);
}

TEST(MetaOf, TakesTheCreationDateWhereNothingWasReceived) {
    GraphItem item;
    item.id = "x";
    item.created = 5;
    EXPECT_EQ(meta_of(item).received.unix_seconds, 5);
    item.received = 3;
    EXPECT_EQ(meta_of(item).received.unix_seconds, 3);
}

TEST(Properties, KnowsATagHoweverItIsWritten) {
    EXPECT_EQ(property_tag("SystemTime 0xe06"), tag_received);
    EXPECT_EQ(property_tag("SystemTime 0x0E06"), tag_received);
    EXPECT_EQ(property_tag("Binary 0x300b"), tag_search_key);
    EXPECT_EQ(property_tag("Binary {6ED8DA90-450B-101B-98DA-00AA003F1305} Id 0x0003"),
              std::nullopt);
    EXPECT_EQ(property_tag("0x300b"), std::nullopt);
    EXPECT_EQ(property_tag("Binary 0x"), std::nullopt);
    EXPECT_EQ(property_tag("Binary 0xzz"), std::nullopt);
}

TEST(Properties, ReadsDatesWithSevenDigits) {
    EXPECT_EQ(instant_of("2026-10-17T19:00:48.1052906Z"), 1792263648);
    EXPECT_EQ(instant_of("0001-01-01T00:00:00Z"), std::nullopt);
    EXPECT_EQ(instant_of("yesterday"), std::nullopt);
}

TEST(Identity, IsThatOfTheCopy) {
    auto const here = identity_of("c2Vh", "<m1@x>", "IPM.Note", 100);
    EXPECT_EQ(here, identity_of("c2Vh", "<m1@x>", "ipm.note", std::nullopt));
    EXPECT_NE(here, identity_of("c2Vi", "<m1@x>", "IPM.Note", 100));
    EXPECT_NE(here, identity_of("c2Vh", "<m2@x>", "IPM.Note", 100));
    EXPECT_NE(here, identity_of("c2Vh", "<m1@x>", "IPM.Appointment", 100));
    EXPECT_NE(identity_of("", "", "IPM.Note", 1), identity_of("", "", "IPM.Note", 2));
    EXPECT_EQ(identity_of("", "", "IPM.Note", std::nullopt), "");
    EXPECT_NE(identity_of("ab", "c", "", 1), identity_of("a", "bc", "", 1));
}

TEST(ImportSessionReader, ReadsAddressAndEnd) {
    constexpr std::string_view text = R"json({
 "@odata.context": "x",
 "importUrl": "https://outlook.example/api/gv1.0/Mailboxes('MBX:1@2')/importItem?authtoken=SECRET",
 "expirationDateTime": "2026-10-17T19:00:48.1052906Z"
})json";
    for (std::size_t size = 1; size <= text.size(); ++size) {
        ImportSessionReader reader;
        ASSERT_TRUE(feed(reader, text, size));
        ASSERT_TRUE(reader.url);
        EXPECT_EQ(reader.url->host, "outlook.example");
        EXPECT_EQ(reader.url->target,
                  "/api/gv1.0/Mailboxes('MBX:1@2')/importItem?authtoken=SECRET");
        EXPECT_EQ(reader.url->where().find("SECRET"), std::string::npos);
        EXPECT_EQ(reader.expires, 1792263648);
    }
    ImportSessionReader reader;
    auto const odd = feed(reader, R"({"importUrl":"nonsense?authtoken=SECRET"})", 100);
    ASSERT_FALSE(odd);
    EXPECT_EQ(odd.error().describe().find("SECRET"), std::string::npos);
}

TEST(ImportSession, IsUsedForFourFifthsOfItsLife) {
    auto const now = std::chrono::system_clock::time_point(std::chrono::seconds(1000));
    EXPECT_EQ(use_for(1100, now), std::chrono::seconds(80));
    EXPECT_EQ(use_for(900, now), std::chrono::minutes(1));
    EXPECT_EQ(use_for(std::nullopt, now), std::chrono::minutes(1));
}

}  // namespace
}  // namespace mailferry::graph

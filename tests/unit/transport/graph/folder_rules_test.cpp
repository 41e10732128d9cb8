#include "transport/graph/folder_rules.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace mailferry::graph {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using transport::FolderRole;
using transport::ItemKind;

GraphFolder folder(std::string id, std::string parent, std::string name, std::string type = {},
                   std::optional<std::string> well_known = "") {
    GraphFolder made;
    made.id = std::move(id);
    made.parent_id = std::move(parent);
    made.name = std::move(name);
    made.type = std::move(type);
    made.well_known = std::move(well_known);
    return made;
}

std::vector<std::string> shown(FolderTree const& tree) {
    std::vector<std::string> lines;
    for (auto const& made : tree.folders)
        lines.push_back(transport::display(made.path) + " " +
                        std::string(transport::to_string(made.kind)) + " " +
                        std::string(transport::to_string(made.role)));
    return lines;
}

std::vector<std::string> left_out(FolderTree const& tree) {
    std::vector<std::string> lines;
    for (auto const& out : tree.left_out)
        lines.push_back(transport::display(out.path) + ": " + out.reason);
    return lines;
}

TEST(FolderTree, RolesComeFromWellKnownNamesAndClasses) {
    auto const tree = tree_of({folder("k", "i", "Kunden", "IPF.Note"),
                               folder("i", "root", "Posteingang", "IPF.Note", "inbox"),
                               folder("s", "root", "Gesendete Elemente", "", "sentitems"),
                               folder("c", "root", "Kalender", "IPF.Appointment"),
                               folder("c2", "c", "Urlaub", "IPF.Appointment"),
                               folder("a", "root", "Kontakte", "IPF.Contact"),
                               folder("t", "root", "Aufgaben", "IPF.Task"),
                               folder("n", "root", "Notizen", "IPF.StickyNote"),
                               folder("j", "root", "Journal", "IPF.Journal")},
                              {});
    EXPECT_THAT(
        shown(tree),
        ElementsAre("Posteingang mail inbox", "Posteingang/Kunden mail none",
                    "Gesendete Elemente mail sent", "Kalender calendar calendar",
                    "Kalender/Urlaub calendar none", "Kontakte contacts contacts",
                    "Aufgaben tasks tasks", "Notizen tasks notes", "Journal tasks journal"));
    EXPECT_THAT(tree.left_out, IsEmpty());
    EXPECT_EQ(tree.folders[7].native_class, "IPF.StickyNote");
}

TEST(FolderTree, SystemFoldersAreNamedAsLeftOutWithAllBelowThem) {
    auto search = folder("f", "root", "Unread", "IPF.Note");
    search.search_folder = true;
    auto hidden = folder("h", "root", "Quiet", "IPF.Note");
    hidden.hidden = true;
    auto const tree =
        tree_of({search, hidden, folder("y", "root", "Yammer Root", "IPF.Note"),
                 folder("yf", "y", "Feeds", "IPF.Note"),
                 folder("sy", "root", "Synchronisierungsprobleme", "", "syncissues"),
                 folder("co", "sy", "Konflikte", ""),
                 folder("rc", "root", "Recipient Cache", "IPF.Contact.RecipientCache"),
                 folder("fi", "root", "Files", "IPF.Files"),
                 folder("bd", "root", "Birthdays", "IPF.Appointment.Birthday"),
                 folder("ob", "root", "Postausgang", "IPF.Note", "outbox"),
                 folder("rd", "root", "Deletions", "", "recoverableitemsdeletions"),
                 folder("ok", "root", "Projects", "IPF.Note"),
                 folder("ok2", "ok", "Yammer Root", "IPF.Note")},
                {});
    EXPECT_THAT(shown(tree), ElementsAre("Projects mail none", "Projects/Yammer Root mail none"));
    EXPECT_THAT(left_out(tree),
                ElementsAre("Unread: search folder", "Quiet: hidden system folder",
                            "Yammer Root: system folder", "Yammer Root/Feeds: system folder",
                            "Synchronisierungsprobleme: synchronisation log",
                            "Synchronisierungsprobleme/Konflikte: synchronisation log",
                            "Recipient Cache: folders of class IPF.Contact.RecipientCache aren't "
                            "copied",
                            "Files: folders of class IPF.Files aren't copied",
                            "Birthdays: folders of class IPF.Appointment.Birthday aren't copied",
                            "Postausgang: outbox: what is there was never sent",
                            "Deletions: recoverable items"));
}

TEST(FolderTree, SeveralTopCalendarsNeedTheQuestionWhichIsTheDefault) {
    std::vector<GraphFolder> const listed{folder("i", "root", "Inbox", "IPF.Note", "inbox"),
                                          folder("c1", "root", "A", "IPF.Appointment"),
                                          folder("c2", "root", "B", "IPF.Appointment")};
    EXPECT_THAT(names_to_ask(listed), ElementsAre("calendar"));
    EXPECT_THAT(shown(tree_of(listed, {{"c2", "calendar"}})),
                ElementsAre("Inbox mail inbox", "A calendar none", "B calendar calendar"));
    EXPECT_THAT(shown(tree_of(listed, {})),
                ElementsAre("Inbox mail inbox", "A calendar none", "B calendar none"));
}

TEST(FolderTree, NamesAreAskedForWhereNoFolderBearsOne) {
    std::vector<GraphFolder> const listed{
        folder("i", "root", "Inbox", "IPF.Note", std::nullopt),
        folder("c1", "root", "Calendar", "IPF.Appointment", std::nullopt)};
    auto const open = names_to_ask(listed);
    EXPECT_THAT(open, testing::IsSupersetOf({"inbox", "sentitems", "drafts", "deleteditems"}));
    EXPECT_THAT(open, testing::Not(testing::Contains("calendar")));
    EXPECT_THAT(shown(tree_of(listed, {{"i", "inbox"}})),
                ElementsAre("Inbox mail inbox", "Calendar calendar calendar"));
}

TEST(FolderTree, SurvivesALoop) {
    EXPECT_THAT(tree_of({folder("a", "b", "A"), folder("b", "a", "B")}, {}).folders, IsEmpty());
    EXPECT_THAT(shown(tree_of({folder("a", "a", "A")}, {})), ElementsAre("A mail none"));
}

TEST(KindOf, FollowsTheClass) {
    EXPECT_EQ(kind_of(""), ItemKind::mail);
    EXPECT_EQ(kind_of("IPF.Note.Custom"), ItemKind::mail);
    EXPECT_EQ(kind_of("IPF.Notebook"), std::nullopt);
    EXPECT_EQ(kind_of("ipf.appointment"), ItemKind::calendar);
    EXPECT_EQ(kind_of("IPF.Contact"), ItemKind::contacts);
    EXPECT_EQ(kind_of("IPF.Contact.GalContacts"), std::nullopt);
    EXPECT_EQ(kind_of("IPF.Configuration"), std::nullopt);
    EXPECT_EQ(kind_of("IPF.SkypeTeams.Message"), std::nullopt);
}

TEST(ClassOf, IsTheFoldersOwnOrThatOfItsKind) {
    transport::Folder wanted;
    wanted.kind = ItemKind::calendar;
    EXPECT_EQ(class_of(wanted), "IPF.Appointment");
    wanted.native_class = "IPF.Appointment.X";
    EXPECT_EQ(class_of(wanted), "IPF.Appointment.X");
    EXPECT_TRUE(same_class("", "ipf.note"));
    EXPECT_FALSE(same_class("", "IPF.Contact"));
}

}  // namespace
}  // namespace mailferry::graph

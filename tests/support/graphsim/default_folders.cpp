#include "tests/support/graphsim/default_folders.hpp"

namespace graphsim {

namespace {

constexpr std::string_view top = "msgfolderroot";

constexpr DefaultFolder folders[] = {
    {"msgfolderroot", "", "msgfolderroot", "", "Top of Information Store",
     "Oberste Ebene des Informationsspeichers"},
    {"inbox", top, "inbox", "IPF.Note", "Inbox", "Posteingang"},
    {"drafts", top, "drafts", "IPF.Note", "Drafts", "Entwürfe"},
    {"sentitems", top, "sentitems", "IPF.Note", "Sent Items", "Gesendete Elemente"},
    {"deleteditems", top, "deleteditems", "IPF.Note", "Deleted Items", "Gelöschte Elemente"},
    {"archive", top, "archive", "IPF.Note", "Archive", "Archiv"},
    {"junkemail", top, "junkemail", "IPF.Note", "Junk Email", "Junk-E-Mail"},
    {"outbox", top, "outbox", "IPF.Note", "Outbox", "Postausgang"},
    {"calendar", top, "calendar", "IPF.Appointment", "Calendar", "Kalender"},
    {"birthdays", "calendar", "", "IPF.Appointment.Birthday", "Birthdays", "Geburtstage"},
    {"holidays", "calendar", "", "IPF.Appointment", "United States holidays",
     "Feiertage in Deutschland"},
    {"contacts", top, "contacts", "IPF.Contact", "Contacts", "Kontakte"},
    {"recipientcache", "contacts", "recipientcache", "IPF.Contact.RecipientCache",
     "Recipient Cache", "Recipient Cache", true},
    {"galcontacts", "contacts", "", "IPF.Contact.GalContacts", "GAL Contacts", "GAL Contacts",
     true},
    {"companies", "contacts", "", "IPF.Contact.Company", "Companies", "Firmen", true},
    {"organizational", "contacts", "", "IPF.Contact.OrganizationalContacts",
     "Organizational Contacts", "Organizational Contacts", true},
    {"buddies", "contacts", "", "IPF.Contact.PeopleCentricConversationBuddies",
     "PeopleCentricConversation Buddies", "PeopleCentricConversation Buddies", true},
    {"moc", "contacts", "", "IPF.Contact.MOC.QuickContacts",
     "{06967759-274D-40B2-A3EB-D7F9E73727D7}", "{06967759-274D-40B2-A3EB-D7F9E73727D7}", true},
    {"tasks", top, "tasks", "IPF.Task", "Tasks", "Aufgaben"},
    {"notes", top, "notes", "IPF.StickyNote", "Notes", "Notizen"},
    {"journal", top, "journal", "IPF.Journal", "Journal", "Journal"},
    {"conversationhistory", top, "conversationhistory", "IPF.Note", "Conversation History",
     "Unterhaltungsverlauf"},
    {"teamchat", "conversationhistory", "", "IPF.SkypeTeams.Message", "Team Chat", "Teamchat",
     true},
    {"syncissues", top, "syncissues", "IPF.Note", "Sync Issues", "Synchronisierungsprobleme"},
    {"conflicts", "syncissues", "conflicts", "IPF.Note", "Conflicts", "Konflikte"},
    {"localfailures", "syncissues", "localfailures", "IPF.Note", "Local Failures", "Lokale Fehler"},
    {"serverfailures", "syncissues", "serverfailures", "IPF.Note", "Server Failures",
     "Serverfehler"},
    {"rss", top, "", "IPF.Note.OutlookHomepage", "RSS Feeds", "RSS-Feeds"},
    {"conversationaction", top, "", "IPF.Configuration", "Conversation Action Settings",
     "Einstellungen für QuickSteps der Unterhaltung", true},
    {"quicksteps", top, "", "IPF.Configuration", "Quick Step Settings", "QuickStep-Einstellungen",
     true},
    {"workingset", top, "", "IPF.Note", "Working Set", "Working Set", true},
    {"files", top, "", "IPF.Files", "Files", "Dateien", true},
    {"yammer", top, "", "IPF.Note", "Yammer Root", "Yammer-Stamm", true},
    {"externalcontacts", top, "", "IPF.Contact", "ExternalContacts", "ExternalContacts", true},
    {"personmetadata", top, "", "IPF.Contact", "PersonMetadata", "PersonMetadata", true},
    {"socialactivity", top, "", "IPF.Note.SocialConnector.FeedItems",
     "Social Activity Notifications", "Benachrichtigungen über soziale Aktivitäten", true},
    {"myanalytics", top, "", "IPF.Note", "MyAnalytics-ActionsMetadata",
     "MyAnalytics-ActionsMetadata", true},
    {"unreadmail", top, "", "IPF.Note", "Unread Mail", "Ungelesene Nachrichten", false, true},
    {"largemail", top, "", "IPF.Note", "Large Mail", "Große Nachrichten", false, true},
    {"recoverableitemsroot", "", "recoverableitemsroot", "", "Recoverable Items",
     "Recoverable Items"},
    {"recoverableitemsdeletions", "recoverableitemsroot", "recoverableitemsdeletions", "",
     "Deletions", "Deletions"},
    {"recoverableitemspurges", "recoverableitemsroot", "recoverableitemspurges", "", "Purges",
     "Purges"},
};

}  // namespace

std::span<DefaultFolder const> default_folders() { return folders; }

}  // namespace graphsim

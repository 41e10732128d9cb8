#include "transport/imap/folder_name.hpp"

#include "transport/imap/ascii.hpp"
#include "transport/imap/flags.hpp"
#include "transport/imap/utf7.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace mailferry::imap {

using transport::Folder;
using transport::FolderPath;
using transport::FolderRole;

namespace {

struct RoleAttribute {
    FolderRole role;
    std::string_view attribute;
};

// The first of a role is RFC 6154's, the others are XLIST's.
constexpr std::array role_attributes{
    RoleAttribute{FolderRole::all, "\\All"},
    RoleAttribute{FolderRole::all, "\\AllMail"},
    RoleAttribute{FolderRole::archive, "\\Archive"},
    RoleAttribute{FolderRole::drafts, "\\Drafts"},
    RoleAttribute{FolderRole::flagged, "\\Flagged"},
    RoleAttribute{FolderRole::flagged, "\\Starred"},
    RoleAttribute{FolderRole::important, "\\Important"},
    RoleAttribute{FolderRole::junk, "\\Junk"},
    RoleAttribute{FolderRole::junk, "\\Spam"},
    RoleAttribute{FolderRole::sent, "\\Sent"},
    RoleAttribute{FolderRole::trash, "\\Trash"},
    RoleAttribute{FolderRole::inbox, "\\Inbox"},
};

struct RoleName {
    FolderRole role;
    std::string_view name;
};

// What clients and servers create, per language; within a role the commoner one first.
constexpr std::array role_names{
    RoleName{FolderRole::sent, "Sent"},
    RoleName{FolderRole::sent, "Sent Items"},
    RoleName{FolderRole::sent, "Sent Messages"},
    RoleName{FolderRole::sent, "Sent Mail"},
    RoleName{FolderRole::sent, "Gesendet"},
    RoleName{FolderRole::sent, "Gesendete Elemente"},
    RoleName{FolderRole::sent, "Gesendete Objekte"},
    RoleName{FolderRole::sent, "Envoyés"},
    RoleName{FolderRole::sent, "Éléments envoyés"},
    RoleName{FolderRole::sent, "Messages envoyés"},
    RoleName{FolderRole::sent, "Enviados"},
    RoleName{FolderRole::sent, "Elementos enviados"},
    RoleName{FolderRole::sent, "Itens enviados"},
    RoleName{FolderRole::sent, "Inviata"},
    RoleName{FolderRole::sent, "Posta inviata"},
    RoleName{FolderRole::sent, "Verzonden"},
    RoleName{FolderRole::sent, "Verzonden items"},
    RoleName{FolderRole::sent, "Skickat"},
    RoleName{FolderRole::sent, "Sendt"},
    RoleName{FolderRole::sent, "Wysłane"},
    RoleName{FolderRole::sent, "Odeslaná pošta"},
    RoleName{FolderRole::sent, "Отправленные"},
    RoleName{FolderRole::sent, "送信済み"},
    RoleName{FolderRole::sent, "送信済みアイテム"},
    RoleName{FolderRole::sent, "已发送"},
    RoleName{FolderRole::sent, "已发送邮件"},
    RoleName{FolderRole::drafts, "Drafts"},
    RoleName{FolderRole::drafts, "Draft"},
    RoleName{FolderRole::drafts, "Entwürfe"},
    RoleName{FolderRole::drafts, "Brouillons"},
    RoleName{FolderRole::drafts, "Borradores"},
    RoleName{FolderRole::drafts, "Rascunhos"},
    RoleName{FolderRole::drafts, "Bozze"},
    RoleName{FolderRole::drafts, "Concepten"},
    RoleName{FolderRole::drafts, "Utkast"},
    RoleName{FolderRole::drafts, "Kladder"},
    RoleName{FolderRole::drafts, "Szkice"},
    RoleName{FolderRole::drafts, "Kopie robocze"},
    RoleName{FolderRole::drafts, "Koncepty"},
    RoleName{FolderRole::drafts, "Черновики"},
    RoleName{FolderRole::drafts, "下書き"},
    RoleName{FolderRole::drafts, "草稿"},
    RoleName{FolderRole::drafts, "草稿箱"},
    RoleName{FolderRole::trash, "Trash"},
    RoleName{FolderRole::trash, "Deleted Items"},
    RoleName{FolderRole::trash, "Deleted Messages"},
    RoleName{FolderRole::trash, "Papierkorb"},
    RoleName{FolderRole::trash, "Gelöschte Elemente"},
    RoleName{FolderRole::trash, "Gelöschte Objekte"},
    RoleName{FolderRole::trash, "Corbeille"},
    RoleName{FolderRole::trash, "Éléments supprimés"},
    RoleName{FolderRole::trash, "Papelera"},
    RoleName{FolderRole::trash, "Elementos eliminados"},
    RoleName{FolderRole::trash, "Lixeira"},
    RoleName{FolderRole::trash, "Itens excluídos"},
    RoleName{FolderRole::trash, "Cestino"},
    RoleName{FolderRole::trash, "Posta eliminata"},
    RoleName{FolderRole::trash, "Prullenbak"},
    RoleName{FolderRole::trash, "Verwijderde items"},
    RoleName{FolderRole::trash, "Papperskorg"},
    RoleName{FolderRole::trash, "Papirkurv"},
    RoleName{FolderRole::trash, "Kosz"},
    RoleName{FolderRole::trash, "Koš"},
    RoleName{FolderRole::trash, "Корзина"},
    RoleName{FolderRole::trash, "Удаленные"},
    RoleName{FolderRole::trash, "ゴミ箱"},
    RoleName{FolderRole::trash, "削除済みアイテム"},
    RoleName{FolderRole::trash, "已删除"},
    RoleName{FolderRole::trash, "已删除邮件"},
    RoleName{FolderRole::junk, "Junk"},
    RoleName{FolderRole::junk, "Spam"},
    RoleName{FolderRole::junk, "Junk E-mail"},
    RoleName{FolderRole::junk, "Junk Email"},
    RoleName{FolderRole::junk, "Bulk Mail"},
    RoleName{FolderRole::junk, "Junk-E-Mail"},
    RoleName{FolderRole::junk, "Spamverdacht"},
    RoleName{FolderRole::junk, "Courrier indésirable"},
    RoleName{FolderRole::junk, "Indésirables"},
    RoleName{FolderRole::junk, "Pourriel"},
    RoleName{FolderRole::junk, "Correo no deseado"},
    RoleName{FolderRole::junk, "Lixo eletrônico"},
    RoleName{FolderRole::junk, "Posta indesiderata"},
    RoleName{FolderRole::junk, "Ongewenste e-mail"},
    RoleName{FolderRole::junk, "Skräppost"},
    RoleName{FolderRole::junk, "Nevyžádaná pošta"},
    RoleName{FolderRole::junk, "Спам"},
    RoleName{FolderRole::junk, "迷惑メール"},
    RoleName{FolderRole::junk, "垃圾邮件"},
    RoleName{FolderRole::archive, "Archive"},
    RoleName{FolderRole::archive, "Archives"},
    RoleName{FolderRole::archive, "Archiv"},
    RoleName{FolderRole::archive, "Archivo"},
    RoleName{FolderRole::archive, "Arquivo"},
    RoleName{FolderRole::archive, "Archivio"},
    RoleName{FolderRole::archive, "Archief"},
    RoleName{FolderRole::archive, "Arkiv"},
    RoleName{FolderRole::archive, "Archiwum"},
    RoleName{FolderRole::archive, "Архив"},
    RoleName{FolderRole::archive, "アーカイブ"},
    RoleName{FolderRole::archive, "归档"},
};

std::string latin1_to_utf8(std::string_view bytes) {
    std::string text;
    for (char const c : bytes) {
        auto const value = static_cast<unsigned char>(c);
        if (value < 0x80) {
            text += c;
        } else {
            text += static_cast<char>(0xC0 | (value >> 6));
            text += static_cast<char>(0x80 | (value & 0x3F));
        }
    }
    return text;
}

bool is_utf8(std::string_view bytes) { return utf7_from_utf8(bytes).has_value(); }

std::string readable(std::string_view component) {
    if (auto decoded = utf8_from_utf7(component)) return std::move(*decoded);
    return is_utf8(component) ? std::string(component) : latin1_to_utf8(component);
}

bool is_inbox(std::string_view name) { return equal_names(name, "INBOX"); }

/// Folders where Dovecot's storage keeps its own files.
constexpr std::array<std::string_view, 5> reserved_names{"dbox-Mails", "mailboxes", "cur", "new",
                                                         "tmp"};
/// Octets on the wire; file systems take 255 for a whole name, some servers with all its parents.
constexpr std::size_t plain_octets_max = 80;

/// FNV-1a: the same wish gives the same name at each start.
std::string hash_of(std::string_view text) {
    std::uint32_t hash = 2'166'136'261u;
    for (char const c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619u;
    std::string digits;
    for (int shift = 28; shift >= 0; shift -= 4) digits += "0123456789abcdef"[hash >> shift & 15];
    return digits;
}

std::string cut(std::string component) {
    auto const octets = [](std::string const& text) {
        return utf7_from_utf8(text).value_or(text).size();
    };
    if (octets(component) <= plain_octets_max) return component;
    auto const end = "_" + hash_of(component);
    while (octets(component) + end.size() > plain_octets_max) {
        auto const is_continuation = [](char c) {
            return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
        };
        while (is_continuation(component.back())) component.pop_back();
        component.pop_back();
    }
    return component + end;
}

std::string bent(std::string_view component, std::optional<char> delimiter, Bending bending) {
    // Cyrus refuses all of these but / and *; Dovecot's maildir with another separator, the dot.
    constexpr std::string_view by_bending[]{"", "/\\%*\";<>^`{|}", "/\\%*\";<>^`{|}.:?"};
    auto const risky = by_bending[static_cast<std::size_t>(bending)];
    std::string result;
    for (char const c : component)
        result += is_control(c) || c == delimiter || risky.find(c) != risky.npos ? '_' : c;
    if (bending != Bending::separators) {
        auto const is_trimmed = [](char c) { return c == ' ' || c == '.'; };
        while (!result.empty() && is_trimmed(result.back())) result.pop_back();
        while (!result.empty() && is_trimmed(result.front())) result.erase(0, 1);
        if (result.starts_with('~')) result.front() = '_';
    }
    if (bending == Bending::plain) {
        result = cut(std::move(result));
        if (std::find(reserved_names.begin(), reserved_names.end(), result) != reserved_names.end())
            result += '_';
    }
    return result.empty() ? "_" : result;
}

}  // namespace

std::string folder_id(std::string_view wire_name, bool utf8) {
    if (is_inbox(wire_name)) return "INBOX";
    if (utf8)
        if (auto encoded = utf7_from_utf8(wire_name)) return std::move(*encoded);
    return std::string(wire_name);
}

std::string wire_name(std::string_view folder_id, bool utf8) {
    if (utf8)
        if (auto decoded = utf8_from_utf7(folder_id)) return std::move(*decoded);
    return std::string(folder_id);
}

FolderPath path_of(std::string_view folder_id, NameSpace const& space,
                   std::optional<char> delimiter) {
    if (is_inbox(folder_id)) return {"INBOX"};
    auto rest = folder_id;
    auto const& prefix = space.prefix;
    auto const has_prefix = !prefix.empty() && rest.size() > prefix.size() &&
                            equal_names(rest.substr(0, prefix.size()), prefix);
    if (has_prefix) rest.remove_prefix(prefix.size());
    FolderPath path;
    while (delimiter) {
        auto const end = rest.find(*delimiter);
        if (end == rest.npos) break;
        path.push_back(readable(rest.substr(0, end)));
        rest.remove_prefix(end + 1);
    }
    path.push_back(readable(rest));
    if (!has_prefix && path.size() > 1 && is_inbox(path.front())) path.front() = "INBOX";
    return path;
}

std::string id_for(FolderPath const& path, NameSpace const& space, Bending bending) {
    if (path.empty() || (path.size() == 1 && is_inbox(path.front()))) return "INBOX";
    auto first = path.begin();
    auto name = space.prefix;
    if (path.size() > 1 && is_inbox(*first)) {
        if (!space.delimiter || !space.prefix.empty()) {
            ++first;
        } else {
            name = std::string("INBOX") + *space.delimiter;
            ++first;
        }
    }
    for (auto each = first; each != path.end(); ++each) {
        if (each != first) name += space.delimiter.value_or('_');
        auto const component = bent(*each, space.delimiter, bending);
        name += utf7_from_utf8(component).value_or(component);
    }
    return name;
}

FolderRole role_of(ListEntry const& entry) {
    if (is_inbox(entry.name)) return FolderRole::inbox;
    for (auto const& [role, attribute] : role_attributes)
        if (entry.has_attribute(attribute)) return role;
    return FolderRole::none;
}

std::string_view attribute_of(FolderRole role) {
    if (role == FolderRole::inbox) return {};
    for (auto const& [known, attribute] : role_attributes)
        if (known == role) return attribute;
    return {};
}

void guess_roles(std::vector<Folder>& folders) {
    std::set<FolderRole> taken;
    for (auto const& folder : folders) taken.insert(folder.role);
    for (auto const& [role, name] : role_names) {
        if (taken.contains(role)) continue;
        auto const found =
            std::find_if(folders.begin(), folders.end(), [name_ = name](Folder const& folder) {
                return folder.role == FolderRole::none && folder.path.size() == 1 &&
                       equal_names(folder.path.front(), name_);
            });
        if (found == folders.end()) continue;
        found->role = role;
        taken.insert(role);
    }
}

}  // namespace mailferry::imap

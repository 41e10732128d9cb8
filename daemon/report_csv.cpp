#include "daemon/report.hpp"
#include "daemon/text_layout.hpp"

#include "config/text.hpp"

namespace mailferry::daemon {
namespace {

/// Spreadsheets run a cell that begins with one of these, also behind blanks: OWASP, "CSV
/// Injection"; the fullwidth forms are folded to ASCII by some of them.
bool starts_formula(std::string_view text) {
    while (!text.empty()) {
        auto const before = text;
        auto const code_point = config::take_code_point(text);
        if (!code_point) return false;
        switch (*code_point) {
        case U'=':
        case U'+':
        case U'-':
        case U'@':
        case U'\t':
        case U'\r':
        case U'\n':
        case U'\0':
        case 0xFF1D:
        case 0xFF0B:
        case 0xFF0D:
        case 0xFF20: return true;
        default:
            if (!config::is_blank(*code_point)) return false;
        }
        if (text.size() == before.size()) return false;
    }
    return false;
}

/// RFC 4180, every text field quoted.
std::string quoted(std::string_view foreign) {
    std::string out = "\"";
    // Judged before escaping: what begins with a control character stays marked.
    if (starts_formula(foreign)) out.push_back('\'');
    for (auto const c : escape_untrusted(foreign, 8'192)) {
        if (c == '"') out.push_back('"');
        out.push_back(c);
    }
    return out.append("\"");
}

class Row {
public:
    Row& text(std::string_view foreign) { return put(quoted(foreign)); }
    Row& number(std::uint64_t value) { return put(std::to_string(value)); }
    Row& empty() { return put({}); }
    std::string end() && { return std::move(line_).append("\r\n"); }

private:
    Row& put(std::string_view cell) {
        if (!first_) line_.push_back(',');
        first_ = false;
        line_.append(cell);
        return *this;
    }
    std::string line_;
    bool first_ = true;
};

}  // namespace

std::string report_csv(Report const& report) {
    std::string out =
        "record,migration,pass,source,target,state,seen,stored,unchanged,left_out,gone,failed,"
        "waiting,flags_changed,bytes_stored,folder,item,size_bytes,reason,text,attempts,exported,"
        "next_step\r\n";
    for (auto const& migration : report.migrations) {
        for (auto const& pass : migration.passes) {
            auto const& c = pass.counters;
            Row row;
            row.text("pass").text(migration.name).text(pass.name).empty().empty();
            row.text(store::to_string(pass.state));
            row.number(c.seen).number(c.stored).number(c.unchanged).number(c.left_out);
            row.number(c.gone).number(c.failed).number(c.waiting).number(c.flags_changed);
            row.number(c.bytes_stored).empty().empty().empty().empty().empty().empty().empty();
            out.append(std::move(row.empty()).end());
        }
        for (auto const& mailbox : migration.mailboxes) {
            Row row;
            row.text("mailbox").text(migration.name).empty().text(mailbox.source);
            row.text(mailbox.target).text(store::to_string(mailbox.state));
            row.empty().number(mailbox.items_stored).empty().empty().empty().empty().empty();
            row.empty().empty().empty().empty().empty().empty().text(mailbox.error);
            out.append(std::move(row.empty().empty().text(mailbox.next_step)).end());
        }
        for (auto const& failure : migration.failures) {
            Row row;
            row.text("item").text(migration.name).empty().text(failure.mailbox).empty();
            row.text("failed").empty().empty().empty().empty().empty().empty().empty().empty();
            row.empty().text(failure.folder).number(failure.item).number(failure.size_bytes);
            row.text(failure.reason).text(failure.text).number(failure.attempts);
            row.text(failure.exported).text(failure.next_step);
            out.append(std::move(row).end());
        }
        for (auto const& folder : migration.not_copied) {
            Row row;
            row.text("not_copied").text(migration.name).empty().empty().empty().empty();
            row.empty().empty().empty().number(folder.items).empty().empty().empty().empty();
            row.empty().text(folder.folder).empty().empty().text(folder.reason).empty().empty();
            out.append(std::move(row.empty().empty()).end());
        }
    }
    return out;
}

}  // namespace mailferry::daemon

#pragma once

/// Text for people in fixed-width columns: terminal display, tables of the control program, text
/// report. Knows no locale: the same bytes give the same columns everywhere.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::daemon {

/// "6,400".
std::string format_count(std::uint64_t count);
/// "1 item", "6,400 items".
std::string format_count(std::uint64_t count, std::string_view singular, std::string_view plural);
/// "2026-03-01 14:05 UTC"; "-" for 0.
std::string format_instant(std::int64_t unix_seconds);

/// Columns that UTF-8 text takes on a terminal: 2 for East Asian wide characters and emoji, 0 for
/// combining ones, 1 for the rest. Bytes that are no UTF-8 count 1 each.
std::size_t display_width(std::string_view text);
/// At most `columns` wide; what had to be cut is marked by an ellipsis.
std::string cut_to_width(std::string_view text, std::size_t columns);
/// The same, cut in the middle: the ends of addresses and folder paths tell most.
std::string cut_middle(std::string_view text, std::size_t columns);
std::string pad_right(std::string_view text, std::size_t columns);
std::string pad_left(std::string_view text, std::size_t columns);

/// Foreign text on one line: control characters and bidi overrides visible, at most 512 bytes.
std::string one_line(std::string_view untrusted);
/// Foreign text as valid UTF-8, whole: each broken byte becomes U+FFFD. For JSON and HTML.
std::string valid_utf8(std::string_view text);

/// Rows under aligned headings. Cells are printed as they are: pass foreign text through
/// one_line().
class TextTable {
public:
    enum class Align { left, right };
    struct Column {
        std::string heading;
        Align align = Align::left;
    };

    explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}
    /// As many cells as there are columns.
    void add(std::vector<std::string> cells);
    bool empty() const { return rows_.empty(); }
    /// Each line indented by `indent` blanks; no blanks at line ends.
    std::string text(std::size_t indent = 0) const;

private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace mailferry::daemon

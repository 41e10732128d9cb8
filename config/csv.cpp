#include "config/csv.hpp"

#include "config/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace mailferry::config {
namespace {

constexpr std::array<char, 3> delimiters{',', ';', '\t'};

/// Stands for what no encoding can give; the row's UTF-8 check then finds it.
constexpr char broken_byte = static_cast<char>(0xFF);

bool is_plain_blank(char byte) { return byte == ' ' || byte == '\t'; }

}  // namespace

void CsvReader::feed(std::string_view bytes, Rows& rows) {
    if (encoding_ == Encoding::unknown) {
        auto const wanted = std::min(bytes.size(), 3 - pending_.size());
        pending_.append(bytes.substr(0, wanted));
        bytes.remove_prefix(wanted);
        if (!settle_encoding(/*at_end=*/false)) return;
        auto const held = std::exchange(pending_, {});
        decode(held, rows);
    }
    decode(bytes, rows);
}

void CsvReader::finish(Rows& rows) {
    if (encoding_ == Encoding::unknown) {
        settle_encoding(/*at_end=*/true);
        auto const held = std::exchange(pending_, {});
        decode(held, rows);
    }
    if (!pending_.empty() || high_surrogate_ != 0) take_raw(broken_byte, rows);
    if (!delimiter_known_) {
        settle_delimiter();
        replay_header(rows);
    }
    if (state_ == State::quoted) {
        fail("the quote opened in this row is never closed", rows);
    } else if (!fields_.empty() || state_ != State::field_start) {
        take('\n', rows);
    }
}

/// Strips a byte order mark from pending_; false while more bytes must be seen.
bool CsvReader::settle_encoding(bool at_end) {
    if (pending_.starts_with("\xFF\xFE")) {
        encoding_ = Encoding::utf16_little;
        pending_.erase(0, 2);
    } else if (pending_.starts_with("\xFE\xFF")) {
        encoding_ = Encoding::utf16_big;
        pending_.erase(0, 2);
    } else if (pending_.starts_with("\xEF\xBB\xBF")) {
        encoding_ = Encoding::utf8;
        pending_.clear();
    } else if (at_end || pending_.size() == 3) {
        encoding_ = Encoding::utf8;
    }
    return encoding_ != Encoding::unknown;
}

void CsvReader::decode(std::string_view bytes, Rows& rows) {
    if (encoding_ == Encoding::utf8) {
        for (auto const byte : bytes) take_raw(byte, rows);
        return;
    }
    for (auto const byte : bytes) {
        pending_.push_back(byte);
        if (pending_.size() < 2) continue;
        auto const first = static_cast<unsigned char>(pending_[0]);
        auto const second = static_cast<unsigned char>(pending_[1]);
        pending_.clear();
        bool const little = encoding_ == Encoding::utf16_little;
        auto const unit = little ? second << 8 | first : first << 8 | second;
        decode_utf16(static_cast<char16_t>(unit), rows);
    }
}

void CsvReader::decode_utf16(char16_t unit, Rows& rows) {
    bool const high = unit >= 0xD800 && unit <= 0xDBFF;
    bool const low = unit >= 0xDC00 && unit <= 0xDFFF;
    auto const before = std::exchange(high_surrogate_, high ? unit : char16_t{0});
    if (before != 0 && low) {
        auto const lead = static_cast<char32_t>(before - 0xD800);
        return emit(0x10000 + (lead << 10) + (unit - 0xDC00u), rows);
    }
    if (before != 0 || low) take_raw(broken_byte, rows);
    if (!high && !low) emit(unit, rows);
}

void CsvReader::emit(char32_t code_point, Rows& rows) {
    std::string utf8;
    append_utf8(utf8, code_point);
    for (auto const byte : utf8) take_raw(byte, rows);
}

/// Makes every line end one LF, so that nothing behind it knows three.
void CsvReader::take_raw(char byte, Rows& rows) {
    auto const was_after_cr = std::exchange(after_cr_, byte == '\r');
    if (byte == '\n' && was_after_cr) return;
    if (byte == '\r') byte = '\n';
    if (delimiter_known_) {
        take(byte, rows);
    } else {
        take_header(byte, rows);
    }
}

void CsvReader::take_header(char byte, Rows& rows) {
    bool const comment = header_.starts_with('#');
    if (byte == '"' && !comment) header_quoted_ = !header_quoted_;
    // A comment has no limit and no say in the delimiter.
    if (!comment || byte == '\n') header_.push_back(byte);
    if (header_.size() > limits_.header_bytes_max) {
        settle_delimiter();
        return replay_header(rows);
    }
    if (byte != '\n' || header_quoted_) return;
    if (comment || trim_blanks(header_).empty()) return replay_header(rows);
    if (header_.starts_with("sep=") && header_.size() == 6) {
        delimiter_ = header_[4];
        delimiter_known_ = true;
        header_.assign("\n");
        return replay_header(rows);
    }
    settle_delimiter();
    replay_header(rows);
}

void CsvReader::settle_delimiter() {
    std::array<std::size_t, delimiters.size()> counts{};
    bool quoted = false;
    for (auto const byte : header_) {
        if (byte == '"') quoted = !quoted;
        if (quoted) continue;
        for (std::size_t i = 0; i < delimiters.size(); ++i) counts[i] += byte == delimiters[i];
    }
    auto const best = std::max_element(counts.begin(), counts.end()) - counts.begin();
    delimiter_ = delimiters[static_cast<std::size_t>(best)];
    delimiter_known_ = true;
}

void CsvReader::replay_header(Rows& rows) {
    header_quoted_ = false;
    auto const held = std::exchange(header_, {});
    for (auto const byte : held) take(byte, rows);
}

void CsvReader::take(char byte, Rows& rows) {
    auto const line = line_;
    if (byte == '\n') ++line_;
    if (state_ == State::field_start && fields_.empty() && field_.empty()) {
        row_line_ = line;
        if (byte == '\n') return start_row();
        if (byte == '#') {
            state_ = State::comment;
            return;
        }
    }
    if (state_ == State::comment || state_ == State::after_fault) {
        if (byte == '\n') start_row();
        return;
    }
    take_in_row(byte, rows);
}

void CsvReader::take_in_row(char byte, Rows& rows) {
    if (state_ == State::quoted) {
        if (byte != '"') return append(byte, rows);
        state_ = State::quote_in_quoted;
        return;
    }
    if (byte == '\n') return end_row(rows);
    if (byte == delimiter_) return end_field(rows);
    switch (state_) {
    case State::field_start:
        if (byte == '"') {
            // Some programs write a blank between delimiter and quote.
            field_.clear();
            state_ = State::quoted;
        } else {
            if (!is_plain_blank(byte)) state_ = State::bare;
            append(byte, rows);
        }
        return;
    case State::bare:
        if (byte == '"')
            return fail(
                "a quote within an unquoted cell: quote all of it and double the quote", rows);
        return append(byte, rows);
    case State::quote_in_quoted:
        if (byte == '"') {
            state_ = State::quoted;
            return append(byte, rows);
        }
        if (!is_plain_blank(byte))
            fail("text after a closing quote: quotes within a quoted cell are doubled", rows);
        return;
    case State::quoted:
    case State::comment:
    case State::after_fault: return;
    }
}

void CsvReader::append(char byte, Rows& rows) {
    field_.push_back(byte);
    if (field_.size() <= limits_.field_bytes_max) return;
    auto message = "a cell is longer than " + std::to_string(limits_.field_bytes_max) + " bytes";
    if (state_ == State::quoted) message += "; is its quote closed?";
    fail(std::move(message), rows);
    if (byte == '\n') start_row();
}

void CsvReader::end_field(Rows& rows) {
    fields_.push_back(std::exchange(field_, {}));
    state_ = State::field_start;
    if (fields_.size() < limits_.fields_max) return;
    fail("the row has more than " + std::to_string(limits_.fields_max) + " cells", rows);
}

void CsvReader::end_row(Rows& rows) {
    fields_.push_back(std::exchange(field_, {}));
    CsvRow row{.line = row_line_, .fields = std::exchange(fields_, {}), .fault = {}};
    if (!std::all_of(row.fields.begin(), row.fields.end(), is_utf8)) {
        row.fields.clear();
        row.fault = "not UTF-8 text: save the file as CSV UTF-8";
    }
    start_row();
    rows.push_back(std::move(row));
}

/// Gives the row up. The line it broke in is skipped; the next one is a row again.
void CsvReader::fail(std::string message, Rows& rows) {
    rows.push_back({.line = row_line_, .fields = {}, .fault = std::move(message)});
    start_row();
    state_ = State::after_fault;
}

void CsvReader::start_row() {
    fields_.clear();
    field_.clear();
    state_ = State::field_start;
}

}  // namespace mailferry::config

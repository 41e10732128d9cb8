#pragma once

/// RFC 4180 as spreadsheets really write it. Sans-io: bytes in, rows out.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailferry::config {

struct CsvLimits {
    std::size_t field_bytes_max = 4096;
    std::size_t fields_max = 64;
    std::size_t header_bytes_max = 64 * 1024;  ///< Of the row that tells the delimiter.
};

struct CsvRow {
    int line = 0;  ///< Where the row begins; the first line is 1.
    std::vector<std::string> fields;
    std::string fault;  ///< Not empty: this row can't be read, and why; `fields` is then empty.
};

/// Cuts a file's bytes into rows; how the bytes are sliced makes no difference.
///
/// Taken: UTF-8 with or without byte order mark, UTF-16 of either order with one; `,` `;` or TAB,
/// whichever the first row uses most outside quotes (or `sep=X` in a line of its own before it);
/// line ends LF, CRLF or CR; quoted fields with delimiters, doubled quotes and line breaks (which
/// come out as LF). Skipped: empty lines, and lines that begin with `#`.
/// A faulty row is reported with its line and the next line is read as a row again. Memory: one row
/// and what the caller hasn't taken of `rows`.
class CsvReader {
public:
    explicit CsvReader(CsvLimits limits = {}) : limits_(limits) {}

    /// Appends the rows that end within `bytes`.
    void feed(std::string_view bytes, std::vector<CsvRow>& rows);
    /// The file is at its end: appends the last row if no line end closed it.
    void finish(std::vector<CsvRow>& rows);

private:
    enum class Encoding { unknown, utf8, utf16_little, utf16_big };
    enum class State { field_start, bare, quoted, quote_in_quoted, comment, after_fault };
    using Rows = std::vector<CsvRow>;

    bool settle_encoding(bool at_end);
    void decode(std::string_view bytes, Rows& rows);
    void decode_utf16(char16_t unit, Rows& rows);
    void emit(char32_t code_point, Rows& rows);
    void take_raw(char byte, Rows& rows);
    void take(char byte, Rows& rows);
    void take_in_row(char byte, Rows& rows);
    void take_header(char byte, Rows& rows);
    void settle_delimiter();
    void replay_header(Rows& rows);
    void append(char byte, Rows& rows);
    void end_field(Rows& rows);
    void end_row(Rows& rows);
    void fail(std::string message, Rows& rows);
    void start_row();

    CsvLimits const limits_;

    Encoding encoding_ = Encoding::unknown;
    std::string pending_;        ///< Up to 3 bytes: a possible byte order mark, half a UTF-16 unit.
    char16_t high_surrogate_ = 0;
    bool after_cr_ = false;      ///< The next LF belongs to the line end that was just taken.

    bool delimiter_known_ = false;
    char delimiter_ = ',';
    std::string header_;         ///< Held back until its end tells the delimiter.
    bool header_quoted_ = false;

    State state_ = State::field_start;
    int line_ = 1;
    int row_line_ = 1;
    std::vector<std::string> fields_;
    std::string field_;
};

}  // namespace mailferry::config

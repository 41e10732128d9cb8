#include "store/ledger_statements.hpp"

#include "config/base/assert.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace mailferry::store {
namespace {

constexpr int busy_wait_ms = 2000;

/// WAL and FULL: a commit is durable when it returns (NORMAL may lose the last ones). EXCLUSIVE: a
/// second daemon is refused, and no shared-memory file is needed.
constexpr auto pragmas =
    "PRAGMA synchronous = FULL;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA cell_size_check = ON;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA cache_size = -16384;"
    "PRAGMA journal_size_limit = 67108864;";

/// A descriptor that is closed at the end of the scope.
class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor const&) = delete;
    Descriptor& operator=(Descriptor const&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }

private:
    int fd_;
};

Error system_failure(std::filesystem::path const& file, std::string_view what) {
    auto const number = errno;
    auto const full = number == ENOSPC || number == EDQUOT;
    return {full ? Errc::disk_full : Errc::io_error, "ledger " + file.string() + ": " +
                                                         std::string(what) + ": " +
                                                         std::strerror(number)};
}

/// Makes the file before SQLite does, so that it never exists with a wider mode; its name is made
/// durable. SQLite gives the write-ahead log the same mode.
Result<void> make_private_file(std::filesystem::path const& file) {
    Descriptor const made(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (made.get() < 0) return system_failure(file, "can't be opened for writing");
    if (::fchmod(made.get(), 0600) != 0) return system_failure(file, "mode 0600 can't be set");
    auto const parent = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
    Descriptor const directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.get() < 0 || ::fsync(directory.get()) != 0)
        return system_failure(file, "its directory can't be synced");
    return {};
}

/// As a URI of SQLite's, every byte of the path escaped.
std::string unchanging(std::filesystem::path const& file) {
    constexpr auto digits = "0123456789ABCDEF";
    std::string uri = "file:";
    for (unsigned char const byte : file.string()) {
        if (byte == '/')
            uri += '/';
        else
            (uri += '%').append({digits[byte >> 4], digits[byte & 15]});
    }
    return uri + "?immutable=1";
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)),
      error_(other.error_) {}

Statement::~Statement() {
    if (statement_ == nullptr) return;
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

void Statement::bind(int place, std::int64_t value) {
    if (error_ == SQLITE_OK) error_ = sqlite3_bind_int64(statement_, place, value);
}

void Statement::bind(int place, std::uint64_t value) {
    MAILFERRY_ASSERT(value <= std::uint64_t{std::numeric_limits<std::int64_t>::max()});
    bind(place, static_cast<std::int64_t>(value));
}

void Statement::bind(int place, std::string_view text) {
    if (error_ == SQLITE_OK)
        error_ = sqlite3_bind_text64(statement_, place, text.empty() ? "" : text.data(),
                                     text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void Statement::bind(int place, Blob blob) {
    // A null pointer would make it NULL.
    if (error_ == SQLITE_OK)
        error_ = sqlite3_bind_blob64(statement_, place, blob.bytes.empty() ? "" : blob.bytes.data(),
                                     blob.bytes.size(), SQLITE_TRANSIENT);
}

void Statement::bind(int place, std::nullopt_t) {
    if (error_ == SQLITE_OK) error_ = sqlite3_bind_null(statement_, place);
}

Result<bool> Statement::step() {
    if (error_ != SQLITE_OK) return database_->failure(error_);
    auto const code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return database_->failure(code);
}

Result<void> Statement::run() {
    for (;;) {
        auto const more = step();
        if (!more) return more.error();
        if (!*more) return {};
    }
}

bool Statement::is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

std::optional<std::int64_t> Statement::optional_integer(int column) const {
    if (is_null(column)) return {};
    return integer(column);
}

std::string Statement::text(int column) const { return std::string(blob(column)); }

std::string_view Statement::blob(int column) const {
    auto const* const bytes = sqlite3_column_blob(statement_, column);
    auto const count = sqlite3_column_bytes(statement_, column);
    if (bytes == nullptr) return {};
    return {static_cast<char const*>(bytes), static_cast<std::size_t>(count)};
}

void Database::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Result<Database> Database::open(std::filesystem::path const& file, std::uint64_t pages_max) {
    auto const made = make_private_file(file);
    if (!made) return made.error();
    sqlite3* handle = nullptr;
    auto const code = sqlite3_open_v2(
        file.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
        nullptr);
    Database database(file, handle);
    if (code != SQLITE_OK) return database.failure(code);
    auto const configured = database.configure(pages_max);
    if (!configured) return configured.error();
    return database;
}

Result<Database> Database::open_unchanged(std::filesystem::path const& file) {
    sqlite3* handle = nullptr;
    auto const code =
        sqlite3_open_v2(unchanging(file).c_str(), &handle,
                        SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
                            SQLITE_OPEN_EXRESCODE,
                        nullptr);
    Database database(file, handle);
    if (code != SQLITE_OK) return database.failure(code);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    return database;
}

Result<void> Database::configure(std::uint64_t pages_max) {
    sqlite3_busy_timeout(handle_, busy_wait_ms);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    auto locked = execute("PRAGMA locking_mode = EXCLUSIVE;");
    if (!locked) return locked;
    auto const set = execute(pragmas);
    if (!set || pages_max == 0) return set;
    auto const limit = "PRAGMA max_page_count = " + std::to_string(pages_max) + ";";
    return execute(limit.c_str());
}

Database::Database(Database&& other) noexcept
    : file_(std::move(other.file_)), handle_(std::exchange(other.handle_, nullptr)),
      statements_(std::move(other.statements_)) {}

Database::~Database() {
    statements_.clear();
    // Without the checkpoint that close() makes and checks: the log is read at the next open.
    if (handle_ != nullptr) sqlite3_close(handle_);
}

Statement Database::prepare(char const* sql) {
    MAILFERRY_ASSERT(handle_ != nullptr);
    auto const kept = statements_.find(sql);
    if (kept != statements_.end()) {
        MAILFERRY_ASSERT_SHOWING(sqlite3_stmt_busy(kept->second.get()) == 0, sql);
        return {*this, kept->second.get(), SQLITE_OK};
    }
    sqlite3_stmt* statement = nullptr;
    auto const code =
        sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return {*this, nullptr, code};
    statements_.emplace(sql, statement);
    return {*this, statement, SQLITE_OK};
}

Result<void> Database::execute(char const* sql) {
    MAILFERRY_ASSERT(handle_ != nullptr);
    auto const code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return failure(code);
    return {};
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

std::uint64_t Database::changes() const {
    return static_cast<std::uint64_t>(sqlite3_changes64(handle_));
}

Result<void> Database::close() {
    auto const copied = execute("PRAGMA wal_checkpoint(TRUNCATE);");
    statements_.clear();
    auto const code = sqlite3_close(handle_);
    if (code != SQLITE_OK) return failure(code);
    handle_ = nullptr;
    return copied;
}

Error Database::failure(int code) const {
    auto const said = std::string(handle_ != nullptr ? sqlite3_errmsg(handle_) : "out of memory");
    auto const error = [&](Errc meaning, std::string_view cure) {
        return Error{meaning, "ledger " + file_.string() + ": " + said + std::string(cure)};
    };
    auto const system = handle_ != nullptr ? sqlite3_system_errno(handle_) : 0;
    switch (code & 0xff) {
    case SQLITE_FULL: return error(Errc::disk_full, ": free some space on its disk");
    case SQLITE_IOERR:
        if (system == ENOSPC || system == EDQUOT)
            return error(Errc::disk_full, ": free some space on its disk");
        return error(Errc::io_error, system != 0 ? ": " + std::string(std::strerror(system)) : "");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return error(Errc::corrupt,
                     ": restore the file (and its -wal, if there is one) from the backup. A new "
                     "ledger would know nothing of what was copied and store everything again: "
                     "empty the targets before you move this one away");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error(Errc::invalid_config,
                     ": another process has it open (a running mailferryd, mailferry copy or "
                     "sqlite3): stop that one first");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return error(Errc::io_error, ": the file and its directory must be writable");
    case SQLITE_CONSTRAINT:
    case SQLITE_MISUSE:
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
        // A statement that doesn't fit the schema, or a row that breaks it: a bug, or a file that
        // was altered by hand. Going on could store items twice.
        fail_assertion("the ledger's statements fit its schema", __FILE__, __LINE__,
                       file_.string() + ": " + said);
    default: return error(Errc::io_error, "");
    }
}

}  // namespace mailferry::store

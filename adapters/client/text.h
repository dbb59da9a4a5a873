/// Text of foreign files as UTF-8: what is not UTF-8 is read as Windows-1252, which is what older systems export.
#pragma once

#include <string>
#include <string_view>

namespace flagpost::client {

/// Whether these bytes are well-formed UTF-8 (RFC 3629): no overlong forms, surrogates or values past U+10FFFF.
bool is_utf8(std::string_view bytes);

/// Length of the well-formed sequence at the start of `bytes`; 0 if there is none. Source: Unicode, table 3-7.
std::size_t utf8_length(std::string_view bytes);

/// Windows-1252 to UTF-8. Its five undefined bytes become U+FFFD.
std::string from_windows_1252(std::string_view bytes);

/// Without a byte order mark, decoded by the rules above.
std::string to_utf8(std::string bytes);

/// Whether this UTF-8 text has a control character other than tab, line feed and carriage return, or U+FFFD,
/// which stands where a character was lost.
bool has_broken_characters(std::string_view utf8);

std::size_t characters_in(std::string_view utf8);

/// At most so many bytes from its beginning, never within a character.
std::string_view cut(std::string_view utf8, std::size_t size_max);

/// Without blanks at either end.
std::string_view trimmed(std::string_view text);

}  // namespace flagpost::client

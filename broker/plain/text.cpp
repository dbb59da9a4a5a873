#include "broker/plain/text.h"

#include <unicode/normalizer2.h>
#include <unicode/translit.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uversion.h>

#include <memory>

namespace flagpost::plain {
namespace {

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Letters that Unicode does not decompose, and quotation marks that people type for an apostrophe.
const char* mapped(UChar32 letter) {
    switch (letter) {
        case 0x0141:
        case 0x0142:
            return "L";
        case 0x00D8:
        case 0x00F8:
            return "O";
        case 0x0110:
        case 0x0111:
        case 0x00D0:
        case 0x00F0:
            return "D";
        case 0x0131:
            return "I";
        case 0x00DF:
        case 0x1E9E:
            return "SS";
        case 0x00C6:
        case 0x00E6:
            return "AE";
        case 0x0152:
        case 0x0153:
            return "OE";
        case 0x00DE:
        case 0x00FE:
            return "TH";
        case 0x0126:
        case 0x0127:
            return "H";
        case 0x0166:
        case 0x0167:
            return "T";
        case 0x014A:
        case 0x014B:
            return "NG";
        case 0x018F:
        case 0x0259:
            return "A";
        case 0x2018:
        case 0x2019:
        case 0x02BC:
        case 0x02BB:
        case 0x2032:
        case 0x00B4:
            return "'";
        case 0x2010:
        case 0x2011:
        case 0x2012:
        case 0x2013:
        case 0x2014:
            return "-";
        default:
            return nullptr;
    }
}

/// Scripts other than Latin, by ICU's rules; built once because building reads its data.
const icu::Transliterator* to_latin() {
    static const std::unique_ptr<icu::Transliterator> made = [] {
        UErrorCode status = U_ZERO_ERROR;
        std::unique_ptr<icu::Transliterator> any{
            icu::Transliterator::createInstance("Any-Latin; Latin-ASCII", UTRANS_FORWARD, status)};
        return U_SUCCESS(status) ? std::move(any) : nullptr;
    }();
    return made.get();
}

std::string latin(std::string_view text) {
    const auto* nfkd = [] {
        UErrorCode status = U_ZERO_ERROR;
        return icu::Normalizer2::getNFKDInstance(status);
    }();
    UErrorCode status = U_ZERO_ERROR;
    const auto raw =
        icu::UnicodeString::fromUTF8(icu::StringPiece{text.data(), static_cast<std::int32_t>(text.size())});
    const auto decomposed = nfkd ? nfkd->normalize(raw, status) : raw;
    std::string out;
    icu::UnicodeString foreign;
    const auto flush = [&] {
        if (foreign.isEmpty()) return;
        if (const auto* rules = to_latin()) rules->transliterate(foreign);
        foreign.toUTF8String(out);
        foreign.remove();
    };
    for (std::int32_t i = 0; i < decomposed.length(); i = decomposed.moveIndex32(i, 1)) {
        const UChar32 letter = decomposed.char32At(i);
        const auto category = u_charType(letter);
        if (category == U_NON_SPACING_MARK || category == U_ENCLOSING_MARK) continue;
        const char* plain = mapped(letter);
        if (!plain && letter >= 0x80 && u_isalpha(letter)) {
            foreign.append(letter);
            continue;
        }
        flush();
        if (plain)
            out += plain;
        else if (letter < 0x80)
            out += static_cast<char>(letter);
        else
            out += ' ';
    }
    flush();
    return out;
}

}  // namespace

std::string upper(std::string_view text) {
    text = text.substr(0, text_size_max);
    std::string out = is_ascii(text) ? std::string{text} : latin(text);
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

std::vector<std::string> words_of_line(std::string_view text) {
    std::vector<std::string> out;
    std::string word;
    const auto finish = [&] {
        if (!word.empty()) out.push_back(std::move(word));
        word.clear();
    };
    const std::string line = upper(text);
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (is_letter(c) || is_digit(c)) {
            // "Flat8" and "No10": a number after a word of letters begins a new one, "14A" stays whole.
            if (is_digit(c) && word.size() > 1 && is_letter(word.back())) finish();
            word += c;
        } else if (c != '\'' && c != '.') {
            finish();
            if ((c == '-' || c == '/') && !out.empty() && is_digit(out.back()[0])) out.emplace_back(1, c);
        }
    }
    finish();
    return out;
}

std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < text.size(); at += text_size_max) {
        for (auto& word : words_of_line(text.substr(at, text_size_max))) out.push_back(std::move(word));
    }
    return out;
}

std::string icu_version() { return U_ICU_VERSION; }

}  // namespace flagpost::plain

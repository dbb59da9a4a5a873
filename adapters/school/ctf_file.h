/// A common transfer file (CTF XML) as the rows a roll has. Only what a roll needs is read; attendance, assessments,
/// medical notes, phones and the rest are not looked at and go nowhere.
///
/// Elements, as the specifications of the Department for Education name them (CTF 15 to 25, gov.uk "Common transfer file") and as
/// school systems write them, which is not the same everywhere:
///   CTfile/Header/SourceSchool/URN  since CTF 18: whose file it is; before, LEA and Estab only
///   CTfile/CTFpupilData/Pupil       UPN, Surname, Forename, DOB; Gender, or Sex, which alone CTF 25 has
///   BasicDetails                    MiddleNames, EnrolStatus
///   Address/PostCode                and either BS7666Address (SAON, PAON, Street, Locality, Town, PostTown,
///                                   UniquePropertyReferenceNumber) or AddressLines (AddressLine1 to 5); some systems leave
///                                   out the element around the parts, or put PostCode into it
///   Contacts/Contact                Forename, MiddleNames, Surname, Relationship
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "adapters/client/load.h"

namespace flagpost::school {

inline constexpr std::size_t ctf_file_size_max = 256ull * 1024 * 1024;
inline constexpr std::size_t ctf_pupils_max = 100'000;

/// Whether the file's name says that it is XML.
bool is_ctf(const std::filesystem::path& file);

/// One row a pupil, under the column names of a roll in CSV; `line` is the pupil's number in the file, from 1.
/// `urn` is whose roll it is: a CTF names schools by LEA and establishment number, which are used again over time.
/// Refused: no XML, a document type, another root, another school's file (a pupil's file comes from the school they left), no
/// pupils, more than the limits allow.
Result<std::vector<client::CsvRow>> ctf_rows(std::string bytes, std::uint32_t urn);
/// Throws std::runtime_error for a file that cannot be opened.
Result<std::vector<client::CsvRow>> read_ctf(const std::filesystem::path& file, std::uint32_t urn);

}  // namespace flagpost::school

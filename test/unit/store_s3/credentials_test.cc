// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "base/limits.h"
#include "base/random.h"
#include "store_s3/object_store.h"

using namespace sandtrail;

namespace {

// "id secret token", or "<code>: <message>".
std::string text_of(const Result<S3Credentials>& credentials) {
  if (!credentials.ok()) {
    return std::string(name_of(credentials.error().code)) + ": " + credentials.error().message;
  }
  return credentials->access_key_id + " " + Bytes(credentials->secret_access_key.view()) + " " +
         Bytes(credentials->session_token.view());
}

const std::string kGood =
    "# made by hand\n"
    "[default]\n"
    "aws_access_key_id = AKID\n"
    "aws_secret_access_key = s/e+c=ret\n"
    "\n"
    "[other]\r\n"
    "\taws_ignored = indented\r\n"
    "AWS_Access_Key_Id=ID2\r\n"
    "region = eu-west-1\r\n"
    "s3 =\r\n"
    "  addressing_style = path\r\n"
    "aws_secret_access_key=  two  \r\n"
    "aws_session_token = to/ken==\r\n"
    "; the end\r\n";

}  // namespace

TEST_CASE("the profile's keys are read, and other programs' settings passed over") {
  struct Row {
    std::string text;
    std::string profile;
    std::string expected;
  };
  const std::string keys = "aws_access_key_id=a\naws_secret_access_key=b\n";
  const std::string malformed = "invalid_argument: the ";
  const std::string lacks = " lacks aws_access_key_id or aws_secret_access_key";
  const Row rows[] = {
      {kGood, "default", "AKID s/e+c=ret "},
      {kGood, "other", "ID2 two to/ken=="},
      {kGood, "third", "invalid_argument: f: no profile [third]"},
      {"", "default", "invalid_argument: f: no profile [default]"},
      {keys, "default", "invalid_argument: f: no profile [default]"},
      {"[default]\n", "default", "invalid_argument: f: profile [default]" + lacks},
      {"[default]\naws_access_key_id=a\n[x]\n" + keys, "default",
       "invalid_argument: f: profile [default]" + lacks},
      {"[default]\nrole_arn = arn:x\n", "default",
       "invalid_argument: f: profile [default]" + lacks},
      {" [ default ] \n" + keys, "default", "a b "},
      {"[default]\n" + keys + "aws_secret_access_key = secret2\n", "default",
       "invalid_argument: f:4: a key is there twice"},
      {"[default]\n" + keys + "[default]\n", "default",
       "invalid_argument: f:4: the profile is there twice"},
      {"[default]\nsecret\n", "default",
       "invalid_argument: f:2: neither a section nor 'name = value'"},
      {"[default\n" + keys, "default", "invalid_argument: f:1: a section without its ']'"},
      {"[", "default", "invalid_argument: f:1: a section without its ']'"},
      {"[default]\naws_access_key_id=\naws_secret_access_key=b", "default",
       malformed + "access key id is malformed"},
      {"[default]\naws_access_key_id=a\naws_secret_access_key=", "default",
       malformed + "secret access key is malformed"},
      {"[default]\naws_access_key_id=a b\naws_secret_access_key=b", "default",
       malformed + "access key id is malformed"},
      {"[default]\naws_access_key_id=a/b\naws_secret_access_key=b", "default",
       malformed + "access key id is malformed"},
      {"[default]\naws_access_key_id=a\naws_secret_access_key=b # comment", "default",
       malformed + "secret access key is malformed"},
      {"[default]\naws_access_key_id=a\naws_secret_access_key=\xc3\xa4", "default",
       malformed + "secret access key is malformed"},
      {"[default]\n" + keys + "aws_session_token=a\x01", "default",
       malformed + "session token is malformed"},
      {"[default]\n" + keys + "aws_session_token=" + std::string(limits::kS3SecretBytesMax, 't'),
       "default", "a b " + std::string(limits::kS3SecretBytesMax, 't')},
      {"[default]\n" + keys +
           "aws_session_token=" + std::string(limits::kS3SecretBytesMax + 1, 't'),
       "default", malformed + "session token is malformed"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(text_of(parse_s3_credentials(row.text, "f", row.profile)) == row.expected);
  }
}

TEST_CASE("damaged files give credentials or an error that repeats nothing of them") {
  SeededRandom random(3);
  const std::string secret = "XyZZySecret0123456789";
  const std::string good =
      "[default]\naws_access_key_id = AKID\naws_secret_access_key = " + secret +
      "\naws_session_token = " + secret + "\n[x]\na = " + secret + "\n";
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = good.substr(0, random.below(good.size()) + 1);
    for (std::uint64_t n = random.below(4); n > 0; --n) {
      text[random.below(text.size())] = "\n\r=[]#; \0\xff"[random.below(10)];
    }
    const auto read = parse_s3_credentials(text, "file", "default");
    if (read.ok()) continue;
    ++refused;
    CHECK(read.error().text().find("XyZZ") == std::string::npos);
    CHECK(read.error().text().find("0123") == std::string::npos);
  }
  CHECK(refused > 1000);
}

TEST_CASE("the environment gives all of them or says what is missing") {
  CHECK(text_of(s3_credentials_from({{"AWS_ACCESS_KEY_ID", "a"},
                                     {"AWS_SECRET_ACCESS_KEY", "b"},
                                     {"AWS_SESSION_TOKEN", "c"}})) == "a b c");
  CHECK(text_of(s3_credentials_from(
            {{"AWS_ACCESS_KEY_ID", "a"}, {"AWS_SECRET_ACCESS_KEY", "b"}})) == "a b ");
  for (const std::map<std::string, std::string>& some :
       {std::map<std::string, std::string>{},
        {{"AWS_ACCESS_KEY_ID", "a"}},
        {{"AWS_SECRET_ACCESS_KEY", "b"}},
        {{"AWS_ACCESS_KEY_ID", ""}, {"AWS_SECRET_ACCESS_KEY", "b"}}}) {
    const auto none = s3_credentials_from(some);
    REQUIRE_FALSE(none.ok());
    CHECK(none.error().code == ErrorCode::invalid_argument);
    CHECK(none.error().hint.find("objects.credentials_file") != std::string::npos);
  }
}

TEST_CASE("a file that others may read is refused, and so is one that is none") {
  char directory[] = "/tmp/sandtrail-s3-XXXXXX";
  REQUIRE(::mkdtemp(directory) != nullptr);
  const std::string file = std::string(directory) + "/credentials";
  CHECK(read_s3_credentials(file).error().code == ErrorCode::not_found);
  REQUIRE(write_file_durably(file, kGood, 0600).ok());
  CHECK(text_of(read_s3_credentials(file)) == "AKID s/e+c=ret ");
  CHECK(text_of(read_s3_credentials(file, "other")) == "ID2 two to/ken==");
  REQUIRE(::chmod(file.c_str(), 0640) == 0);
  CHECK(read_s3_credentials(file).error().code == ErrorCode::denied);
  REQUIRE(write_file_durably(file, std::string(limits::kS3CredentialsFileBytesMax + 1, '\n'), 0600)
              .ok());
  CHECK(read_s3_credentials(file).error().code == ErrorCode::overloaded);
  std::filesystem::remove_all(directory);
}

// Holds the library's place until its first source arrives, which takes this file away.

//! What can only be seen from outside: the documents, beside what they speak of.

mod documents;

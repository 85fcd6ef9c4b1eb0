mod registration;
mod scores;
mod sequences;
mod taking_part;

mod paying;
mod queries;
mod sequences;
mod sponsors;

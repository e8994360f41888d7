-- Once, as the instance's administrator, whose password is in Secrets Manager: psql -f setup.sql, from inside the VPC.
create role shop login;
grant rds_iam to shop; -- From now on it has tokens for a password, and nothing else.

create table if not exists orders (
  id text primary key,
  author text not null,
  title text not null,
  quantity integer not null,
  state text not null,
  "placedAt" text not null
);
grant select, insert, update, delete on orders to shop;

create table if not exists catalogue (
  author text not null,
  title text not null,
  price double precision not null,
  primary key (author, title)
);
grant select, insert, update, delete on catalogue to shop;
